import { ClientProxy, type ReadPacket, type WritePacket } from '@nestjs/microservices';
import type { Bus, BusRecord, Consumption, Placed } from '@sallyport/bus';
import type { SigningKey } from '@sallyport/events';
import type { Roster } from '@sallyport/trust';
import { randomUUID } from 'node:crypto';
import { lastValueFrom } from 'rxjs';
import { BUS_CLIENT_LIMITS, type BusClientLimits } from './bus-client-limits.js';
import { BusMessage, type MessageOptions } from './bus-message.js';
import { Outstanding } from './outstanding.js';
import { type DistrustedReply, ReplyIntake } from './reply-intake.js';
import { RequestError } from './request-error.js';
import { RequestSender } from './request-sender.js';
import { encodeJson, repliesTopic, type RequestService } from './wire.js';

export interface BusClientOptions extends Partial<BusClientLimits> {
  readonly bus: Bus;
  /** Who is asked: `sallyport.SERVICE.requests`. Answers are believed of a service of its role alone, see `SERVICE_ROLES`. */
  readonly service: RequestService;
  /** Signs the requests. */
  readonly key: SigningKey;
  readonly roster: Roster;
  /** Told of every reply that was ignored, for metrics. The record is somebody's: log its offset, not its bytes. */
  onDistrusted?(reason: DistrustedReply, record: BusRecord): void;
  /** Milliseconds since the epoch. Default: the system's clock. */
  nowMs?(): number;
}

/**
 * Nest's client over the Bus port. Replies come to one partition of the service's reply topic, this client's alone by its id.
 * Errors: `RequestError` with `BUS_REQUEST_TIMEOUT`, `BUS_TOO_MANY_REQUESTS`, `BUS_NOT_ALLOWED`, `BUS_NO_HANDLER`, the handler's own code; or
 * the bus's `BusError`. The bus belongs to the caller, who closes it after the client.
 */
export class BusClient extends ClientProxy {
  readonly #id = randomUUID();
  readonly #outstanding: Outstanding;
  readonly #sender: RequestSender;
  readonly #intake: ReplyIntake;
  readonly #limits: BusClientLimits;
  #connected: Promise<Consumption> | undefined;
  #nextRequest = 0;

  constructor(private readonly options: BusClientOptions) {
    super();
    const limits: BusClientLimits = { ...BUS_CLIENT_LIMITS, ...given(options) };
    const { bus, service, key, roster, nowMs = Date.now } = options;
    this.#limits = limits;
    this.#sender = new RequestSender({ ...limits, bus, service, key, client: this.#id, nowMs });
    this.#outstanding = new Outstanding(this.#sender);
    this.#intake = new ReplyIntake({
      roster,
      service,
      client: this.#id,
      name: key.name,
      maxRecordBytes: limits.maxRecordBytes,
      onReply: (server, reply) => this.#outstanding.take(server, reply),
      onDistrusted: (reason, record) => options.onDistrusted?.(reason, record),
    });
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
      await this.#connected;
    } catch (error) {
      this.#connected = undefined;
      throw error;
    }
  }

  /** Whoever waits gets `BUS_CLOSED`. */
  async close(): Promise<void> {
    this.#outstanding.endAll(new RequestError('BUS_CLOSED', 'the client is closed'));
    const connected = this.#connected;
    this.#connected = undefined;
    await (await connected?.catch(() => undefined))?.close();
  }

  unwrap<T>(): T {
    return this.options.bus as T;
  }

  protected publish(packet: ReadPacket, callback: (packet: WritePacket) => void): () => void {
    const { data, options } = BusMessage.of(packet.data);
    const { maxOutstandingRequests, maxRecordBytes, requestTimeoutMs } = this.#limits;
    if (this.#outstanding.size >= maxOutstandingRequests) {
      callback({ err: new RequestError('BUS_TOO_MANY_REQUESTS', `more than ${maxOutstandingRequests} requests wait for an answer`) });
      return () => undefined;
    }
    try {
      const json = encodeJson(data);
      if (json.length > maxRecordBytes) throw new RequestError('BUS_PAYLOAD_TOO_LARGE', `a payload of ${json.length} bytes`);
      const id = this.#nextRequest++;
      this.#outstanding.ask(
        {
          id,
          pattern: this.normalizePattern(packet.pattern as string),
          dataJson: json.toString(),
          bytes: json.length,
          timeoutMs: options.timeoutMs ?? requestTimeoutMs,
          resendAfterMs: options.resendAfterMs,
        },
        callback,
      );
      return () => this.#outstanding.forget(id);
    } catch (err) {
      callback({ err });
      return () => undefined;
    }
  }

  protected async dispatchEvent<T = readonly Placed[]>(packet: ReadPacket): Promise<T> {
    const { data, options } = BusMessage.of(packet.data);
    const topic = this.normalizePattern(packet.pattern as string);
    return (await this.options.bus.produce(topic, [{ key: options.key ?? null, value: encodeJson(data) }])) as T;
  }

  async #listen(): Promise<Consumption> {
    const { bus, service } = this.options;
    await this.#sender.connect();
    const topic = repliesTopic(service);
    const partitions = await bus.ends(topic);
    const { partition } = partitions[Math.floor(Math.random() * partitions.length)]!;
    this.#sender.replyPartition = partition;
    return bus.consume({
      topic,
      partitions: [partition],
      start: { at: 'latest' },
      onBatch: async (batch) => batch.forEach((record) => this.#intake.take(record)),
    });
  }
}

/** Options that are there: an undefined one is a default. */
function given(options: BusClientOptions): Partial<BusClientLimits> {
  return Object.fromEntries(Object.entries(options).filter(([name, value]) => name in BUS_CLIENT_LIMITS && value !== undefined));
}
