import { type BatchContext, BusError, type Bus, type BusRecord, type ConsumeOptions, type Consumption } from '@sallyport/bus';
import type { MessagePort } from 'node:worker_threads';
import {
  fromWireError,
  packRecords,
  type ToOwner,
  toWireError,
  type ToWorker,
  unpackOutgoing,
  type WireConsume,
  type WireError,
} from './protocol.js';

export interface ServedBus {
  /** Ends the worker's consumers and the port. The bus stays open. */
  close(): Promise<void>;
}

interface BatchUnderWay {
  readonly context: BatchContext;
  readonly done: () => void;
  readonly failed: (error: unknown) => void;
}

/** A failure of the worker's handler: the worker has told its own `onError` already. */
class HandlerFailed extends Error {}

/**
 * Lets the other end of `port` use `bus` through `connectBus`. What is under way on it is bounded there (calls) and by the bus (one
 * batch a partition). When the port closes, however the other side ended, its consumers end too.
 */
export function serveBus(bus: Bus, port: MessagePort): ServedBus {
  const server = new BusPortServer(bus, port);
  port.on('message', (message: ToOwner) => server.take(message));
  let closed: Promise<void> | undefined;
  const close = (): Promise<void> => (closed ??= server.close());
  port.on('close', () => void close());
  return {
    async close() {
      await close();
      port.close();
    },
  };
}

class BusPortServer {
  readonly #consumptions = new Map<number, Promise<Consumption>>();
  readonly #batches = new Map<number, BatchUnderWay>();
  readonly #questions = new Map<number, { readonly done: (offset: bigint) => void; readonly failed: (error: unknown) => void }>();
  #nextBatch = 0;
  #nextQuestion = 0;
  #closing = false;

  constructor(
    private readonly bus: Bus,
    private readonly port: MessagePort,
  ) {}

  take(message: ToOwner): void {
    switch (message.type) {
      case 'produce':
        return this.#answer(message.id, this.bus.produce(message.topic, unpackOutgoing(message.records)));
      case 'ends':
        return this.#answer(message.id, this.bus.ends(message.topic));
      case 'read':
        return this.#answerRecords(
          message.id,
          message.topic,
          this.bus.read(message.topic, message.partition, message.offset, message.maxRecords),
        );
      case 'consume':
        return this.#consume(message.id, message.options);
      case 'stop':
        return this.#answer(message.id, this.#stop(message.consumption));
      case 'commit':
        return this.#answer(
          message.id,
          this.#batches.get(message.batch)?.context.commit() ?? Promise.reject(new BusError('BUS_CLOSED', 'the batch is over')),
        );
      case 'commitSoon':
        return this.#batches.get(message.batch)?.context.commitSoon();
      case 'located':
        return this.#located(message.question, message.offset, message.error);
      case 'handled':
        return this.#handled(message.batch, message.error);
    }
  }

  async close(): Promise<void> {
    this.#closing = true;
    const ending = [...this.#consumptions.values()].map((consumption) => consumption.then((open) => open.close()).catch(() => undefined));
    // Nobody is left to answer; what wasn't committed comes again elsewhere.
    for (const batch of this.#batches.values()) batch.failed(new HandlerFailed('the port is closed'));
    this.#batches.clear();
    for (const { failed } of this.#questions.values()) failed(new BusError('BUS_CLOSED', 'the port is closed'));
    this.#questions.clear();
    await Promise.all(ending);
  }

  #consume(id: number, { topic, group, start, partitions, maxBatchRecords }: WireConsume): void {
    const options: ConsumeOptions = {
      topic,
      start: start.at === 'stored' ? { at: 'stored', offsetOf: (partition) => this.#ask(id, partition) } : start,
      ...(group === undefined ? {} : { group }),
      ...(partitions === undefined ? {} : { partitions }),
      ...(maxBatchRecords === undefined ? {} : { maxBatchRecords }),
      onBatch: (batch, context) => this.#deliver(id, batch, context),
      onError: (error) => {
        if (!(error instanceof HandlerFailed)) this.#send({ type: 'trouble', consumption: id, error: toWireError(error) });
      },
    };
    const consumption = this.bus.consume(options);
    this.#consumptions.set(id, consumption);
    consumption.catch(() => this.#consumptions.delete(id));
    this.#answer(
      id,
      consumption.then((open) => {
        if (this.#closing) void open.close();
        return open.starts;
      }),
    );
  }

  #ask(consumption: number, partition: number): Promise<bigint> {
    if (this.#closing) return Promise.reject(new BusError('BUS_CLOSED', 'the port is closed'));
    const question = this.#nextQuestion++;
    return new Promise((done, failed) => {
      this.#questions.set(question, { done, failed });
      this.#send({ type: 'locate', consumption, question, partition });
    });
  }

  #located(question: number, offset: bigint | undefined, error: WireError | undefined): void {
    const asked = this.#questions.get(question);
    this.#questions.delete(question);
    if (offset === undefined) asked?.failed(error ? fromWireError(error) : new BusError('BUS_FAILED', 'there is no place to start from'));
    else asked?.done(offset);
  }

  async #stop(id: number): Promise<void> {
    const consumption = await this.#consumptions.get(id);
    await consumption?.close();
    this.#consumptions.delete(id);
  }

  #deliver(consumption: number, batch: readonly BusRecord[], context: BatchContext): Promise<void> {
    if (this.#closing) return Promise.reject(new HandlerFailed('the port is closed'));
    const id = this.#nextBatch++;
    const records = packRecords(batch);
    return new Promise((done, failed) => {
      this.#batches.set(id, { context, done, failed });
      this.#send({ type: 'batch', consumption, batch: id, topic: batch[0]!.topic, records }, [records.bytes]);
    });
  }

  #handled(id: number, error: WireError | undefined): void {
    const batch = this.#batches.get(id);
    this.#batches.delete(id);
    if (error) batch?.failed(new HandlerFailed(fromWireError(error).message));
    else batch?.done();
  }

  #answer(id: number, work: Promise<unknown>): void {
    work.then(
      (value) => this.#send({ type: 'result', id, value }),
      (error: unknown) => this.#send({ type: 'failed', id, error: toWireError(error) }),
    );
  }

  #answerRecords(id: number, topic: string, work: Promise<readonly BusRecord[]>): void {
    work.then(
      (found) => {
        const records = packRecords(found);
        this.#send({ type: 'records', id, topic, records }, [records.bytes]);
      },
      (error: unknown) => this.#send({ type: 'failed', id, error: toWireError(error) }),
    );
  }

  /** To a closed port it goes nowhere, as it should. */
  #send(message: ToWorker, transfer: readonly ArrayBuffer[] = []): void {
    this.port.postMessage(message, transfer);
  }
}
