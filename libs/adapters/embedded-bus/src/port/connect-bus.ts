import {
  BusError,
  type Bus,
  type BusRecord,
  type ConsumeOptions,
  type Consumption,
  type OutgoingRecord,
  type PartitionEnds,
  type Placed,
} from '@sallyport/bus';
import type { MessagePort } from 'node:worker_threads';
import { fromWireError, packOutgoing, type ToOwner, toWireError, type ToWorker, unpackRecords, type WireStart } from './protocol.js';

export interface ConnectLimits {
  /** Calls that have no answer yet; the next rejects with `BUS_BUSY`. */
  readonly maxCalls: number;
  /** Bytes of `produce` calls that have no answer yet. One call may always go. */
  readonly maxProduceBytes: number;
}

export const CONNECT_LIMITS: ConnectLimits = { maxCalls: 4096, maxProduceBytes: 64 * 2 ** 20 };

interface Call {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
  readonly bytes: number;
}

/** A request, its id to be given. Spelled out because `Omit` on a union keeps only what all have. */
type Request = ToOwner extends infer Message ? (Message extends { readonly id: number } ? Omit<Message, 'id'> : never) : never;

/** The bus that `serveBus` serves at the other end of `port`. Errors keep their `code`. The port is its own from now on. */
export function connectBus(port: MessagePort, limits: Partial<ConnectLimits> = {}): Bus {
  return new PortBus(port, { ...CONNECT_LIMITS, ...limits });
}

class PortBus implements Bus {
  readonly #calls = new Map<number, Call>();
  readonly #consumers = new Map<number, ConsumeOptions>();
  readonly #consumptions = new Set<Consumption>();
  #nextId = 1;
  #produceBytes = 0;
  #gone = false;
  #closed: Promise<void> | undefined;

  constructor(
    private readonly port: MessagePort,
    private readonly limits: ConnectLimits,
  ) {
    port.on('message', (message: ToWorker) => this.#take(message));
    port.on('close', () => this.#lose());
  }

  async produce(topic: string, records: readonly OutgoingRecord[]): Promise<readonly Placed[]> {
    this.#checkOpen();
    const bytes = records.reduce((sum, { value }) => sum + value.length, 0);
    if (this.#produceBytes > 0 && this.#produceBytes + bytes > this.limits.maxProduceBytes)
      throw new BusError('BUS_BUSY', 'too much is being produced');
    const packed = packOutgoing(records);
    return (await this.#call({ type: 'produce', topic, records: packed }, [packed.bytes], bytes)) as readonly Placed[];
  }

  async read(topic: string, partition: number, offset: bigint, maxRecords: number): Promise<readonly BusRecord[]> {
    this.#checkOpen();
    return (await this.#call({ type: 'read', topic, partition, offset, maxRecords })) as readonly BusRecord[];
  }

  async ends(topic: string): Promise<readonly PartitionEnds[]> {
    this.#checkOpen();
    return (await this.#call({ type: 'ends', topic })) as readonly PartitionEnds[];
  }

  async consume(options: ConsumeOptions): Promise<Consumption> {
    this.#checkOpen();
    const { topic, group, partitions, maxBatchRecords } = options;
    // A function can't cross: the other side asks for the place when it needs it.
    const start: WireStart = options.start.at === 'stored' ? { at: 'stored' } : options.start;
    // The first batch may be here before the answer.
    const id = this.#nextId;
    this.#consumers.set(id, options);
    let starts: ReadonlyMap<number, bigint> | undefined;
    try {
      starts = (await this.#call({ type: 'consume', options: { topic, group, start, partitions, maxBatchRecords } })) as typeof starts;
    } catch (error) {
      this.#consumers.delete(id);
      throw error;
    }
    let closed: Promise<void> | undefined;
    const consumption: Consumption = { ...(starts ? { starts } : {}), close: () => (closed ??= this.#stop(id, consumption)) };
    this.#consumptions.add(consumption);
    return consumption;
  }

  close(): Promise<void> {
    this.#closed ??= (async () => {
      await Promise.all([...this.#consumptions].map((consumption) => consumption.close()));
      while (this.#calls.size > 0) await new Promise<void>((resolve) => (this.#whenIdle = resolve));
      this.port.close();
    })();
    return this.#closed;
  }

  #whenIdle: (() => void) | undefined;

  #checkOpen(): void {
    if (this.#closed || this.#gone) throw new BusError('BUS_CLOSED', 'the bus is closed');
    if (this.#calls.size >= this.limits.maxCalls) throw new BusError('BUS_BUSY', `more than ${this.limits.maxCalls} calls are under way`);
  }

  async #stop(id: number, consumption: Consumption): Promise<void> {
    if (!this.#gone) await this.#call({ type: 'stop', consumption: id }).catch(() => undefined);
    this.#consumers.delete(id);
    this.#consumptions.delete(consumption);
  }

  #call(request: Request, transfer: readonly ArrayBuffer[] = [], bytes = 0): Promise<unknown> {
    if (this.#gone) return Promise.reject(new BusError('BUS_CLOSED', 'the bus is closed'));
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      this.#calls.set(id, { resolve, reject, bytes });
      this.#produceBytes += bytes;
      this.port.postMessage({ ...request, id }, transfer);
    });
  }

  #take(message: ToWorker): void {
    switch (message.type) {
      case 'result':
        return this.#end(message.id)?.resolve(message.value);
      case 'records':
        return this.#end(message.id)?.resolve(unpackRecords(message.topic, message.records));
      case 'failed':
        return this.#end(message.id)?.reject(fromWireError(message.error));
      case 'batch':
        return void this.#handle(message.consumption, message.batch, unpackRecords(message.topic, message.records));
      case 'locate':
        return void this.#locate(message.consumption, message.question, message.partition);
      case 'trouble':
        return this.#consumers.get(message.consumption)?.onError?.(fromWireError(message.error));
    }
  }

  async #locate(consumption: number, question: number, partition: number): Promise<void> {
    const start = this.#consumers.get(consumption)?.start;
    try {
      if (start?.at !== 'stored') throw new BusError('BUS_CLOSED', 'the consumer is closed');
      const offset = await start.offsetOf(partition);
      this.port.postMessage({ type: 'located', question, offset } satisfies ToOwner);
    } catch (error) {
      this.port.postMessage({ type: 'located', question, error: toWireError(error) } satisfies ToOwner);
    }
  }

  #end(id: number): Call | undefined {
    const call = this.#calls.get(id);
    this.#calls.delete(id);
    this.#produceBytes -= call?.bytes ?? 0;
    if (this.#calls.size === 0) this.#whenIdle?.();
    return call;
  }

  async #handle(consumption: number, batch: number, records: readonly BusRecord[]): Promise<void> {
    const options = this.#consumers.get(consumption);
    try {
      if (!options) throw new BusError('BUS_CLOSED', 'the consumer is closed');
      await options.onBatch(records, {
        commit: async () => void (await this.#call({ type: 'commit', batch })),
        commitSoon: () => this.port.postMessage({ type: 'commitSoon', batch } satisfies ToOwner),
      });
    } catch (error) {
      options?.onError?.(error);
      this.port.postMessage({ type: 'handled', batch, error: toWireError(error) } satisfies ToOwner);
      return;
    }
    this.port.postMessage({ type: 'handled', batch, error: undefined } satisfies ToOwner);
  }

  /** The other end is gone: with the port closed, nothing that is under way gets an answer. */
  #lose(): void {
    this.#gone = true;
    const error = new BusError('BUS_CLOSED', 'the bus is closed');
    for (const id of this.#calls.keys()) this.#end(id)?.reject(error);
    if (this.#closed) return;
    for (const options of this.#consumers.values()) options.onError?.(error);
  }
}
