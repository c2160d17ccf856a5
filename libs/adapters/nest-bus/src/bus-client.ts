import { ClientProxy, type ReadPacket, type WritePacket } from '@nestjs/microservices';
import type { Bus, BusRecord, Consumption, Placed } from '@sallyport/bus';
import { randomUUID } from 'node:crypto';
import { lastValueFrom } from 'rxjs';
import { RequestError } from './request-error.js';
import { decodeJson, encodeJson, repliesTopic, type Reply, type RequestHeaders, requestsTopic } from './wire.js';

export interface BusClientLimits {
  /** How long one request waits for its (first and last) answer, unless it says otherwise. */
  readonly requestTimeoutMs: number;
  /** Requests that wait. The next is refused with `BUS_TOO_MANY_REQUESTS`. */
  readonly maxOutstandingRequests: number;
}

export const BUS_CLIENT_LIMITS: BusClientLimits = { requestTimeoutMs: 5000, maxOutstandingRequests: 1024 };

export interface BusClientOptions extends Partial<BusClientLimits> {
  readonly bus: Bus;
  /** Who is asked: `sallyport.SERVICE.requests`. */
  readonly service: string;
}

export interface MessageOptions {
  /** Of this request alone. */
  readonly timeoutMs?: number;
  /** Of an event: records with the same key stay in order. */
  readonly key?: string;
}

/** Data with options, for `send` and `emit`. */
export class BusMessage<Data = unknown> {
  constructor(
    readonly data: Data,
    readonly options: MessageOptions = {},
  ) {}
}

interface Outstanding {
  readonly callback: (packet: WritePacket) => void;
  readonly timer: NodeJS.Timeout;
}

/**
 * Nest's client over the Bus port. Replies come to one partition of the service's reply topic, this client's alone by its id.
 * Errors: `RequestError` with `BUS_REQUEST_TIMEOUT`, `BUS_TOO_MANY_REQUESTS`, `BUS_NO_HANDLER`, the handler's own code; or the bus's `BusError`.
 * The bus belongs to the caller, who closes it after the client.
 */
export class BusClient extends ClientProxy {
  readonly #id = randomUUID();
  readonly #outstanding = new Map<string, Outstanding>();
  readonly #limits: BusClientLimits;
  #connected: Promise<{ readonly consumption: Consumption; readonly partition: number }> | undefined;
  #partition = 0;
  #nextRequest = 0;

  constructor(private readonly options: BusClientOptions) {
    super();
    const { requestTimeoutMs = BUS_CLIENT_LIMITS.requestTimeoutMs, maxOutstandingRequests = BUS_CLIENT_LIMITS.maxOutstandingRequests } =
      options;
    this.#limits = { requestTimeoutMs, maxOutstandingRequests };
  }

  /** Requests that wait for an answer. */
  get outstanding(): number {
    return this.#outstanding.size;
  }

  /** One request, one answer. */
  async request<Result = unknown>(pattern: string, data: unknown, options: MessageOptions = {}): Promise<Result> {
    return (await lastValueFrom(this.send<Result>(pattern, new BusMessage(data, options)), { defaultValue: undefined })) as Result;
  }

  async connect(): Promise<void> {
    this.#connected ??= this.#listen();
    try {
      this.#partition = (await this.#connected).partition;
    } catch (error) {
      this.#connected = undefined;
      throw error;
    }
  }

  /** Whoever waits gets `BUS_CLOSED`. */
  async close(): Promise<void> {
    for (const id of this.#outstanding.keys()) this.#end(id, { err: new RequestError('BUS_CLOSED', 'the client is closed') });
    const connected = this.#connected;
    this.#connected = undefined;
    await (await connected?.catch(() => undefined))?.consumption.close();
  }

  unwrap<T>(): T {
    return this.options.bus as T;
  }

  protected publish(packet: ReadPacket, callback: (packet: WritePacket) => void): () => void {
    const { data, options } = asMessage(packet.data);
    const { maxOutstandingRequests, requestTimeoutMs } = this.#limits;
    if (this.#outstanding.size >= maxOutstandingRequests) {
      callback({ err: new RequestError('BUS_TOO_MANY_REQUESTS', `more than ${maxOutstandingRequests} requests wait for an answer`) });
      return () => undefined;
    }
    const timeoutMs = options.timeoutMs ?? requestTimeoutMs;
    const id = String(this.#nextRequest++);
    const expired = (): void => this.#end(id, { err: new RequestError('BUS_REQUEST_TIMEOUT', `no answer within ${timeoutMs} ms`) });
    this.#outstanding.set(id, { callback, timer: setTimeout(expired, timeoutMs) });
    const pattern = this.normalizePattern(packet.pattern as string);
    this.#ask(id, pattern, data, Date.now() + timeoutMs).catch((error: unknown) => this.#end(id, { err: error }));
    return () => this.#forget(id);
  }

  protected async dispatchEvent<T = readonly Placed[]>(packet: ReadPacket): Promise<T> {
    const { data, options } = asMessage(packet.data);
    const topic = this.normalizePattern(packet.pattern as string);
    return (await this.options.bus.produce(topic, [{ key: options.key ?? null, value: encodeJson(data) }])) as T;
  }

  async #listen(): Promise<{ consumption: Consumption; partition: number }> {
    const { bus, service } = this.options;
    const topic = repliesTopic(service);
    const partitions = await bus.ends(topic);
    const { partition } = partitions[Math.floor(Math.random() * partitions.length)]!;
    const consumption = await bus.consume({
      topic,
      partitions: [partition],
      start: { at: 'latest' },
      onBatch: async (batch) => batch.forEach((record) => this.#take(record)),
    });
    return { consumption, partition };
  }

  async #ask(id: string, pattern: string, data: unknown, deadlineMs: number): Promise<void> {
    const { bus, service } = this.options;
    const headers: RequestHeaders = {
      pattern,
      id,
      client: this.#id,
      partition: String(this.#partition),
      deadline: String(Math.ceil(deadlineMs)),
    };
    await bus.produce(requestsTopic(service), [{ key: null, value: encodeJson(data), headers }]);
  }

  #take({ headers, value }: BusRecord): void {
    const waiting = headers['client'] === this.#id ? this.#outstanding.get(headers['id'] ?? '') : undefined;
    if (!waiting) return;
    const id = headers['id']!;
    try {
      const { error, response, isDisposed = false } = decodeJson(value) as Reply;
      if (error) this.#end(id, { err: new RequestError(error.code, error.message) });
      else if (isDisposed) this.#end(id, { response, isDisposed });
      else waiting.callback({ response, isDisposed });
    } catch (error) {
      this.#end(id, { err: error });
    }
  }

  #end(id: string, packet: WritePacket): void {
    const waiting = this.#outstanding.get(id);
    this.#forget(id);
    waiting?.callback(packet);
  }

  #forget(id: string): void {
    clearTimeout(this.#outstanding.get(id)?.timer);
    this.#outstanding.delete(id);
  }
}

function asMessage(data: unknown): BusMessage {
  return data instanceof BusMessage ? data : new BusMessage(data);
}
