import type { Bus } from '@sallyport/bus';
import type { SigningKey } from '@sallyport/events';
import { signRecord } from '@sallyport/trust';
import { type Gathered, Gathering, type GatheringLimits } from './gathering.js';
import { encodeRequests, requestJson, requestsTopic } from './wire.js';

export interface RequestSenderLimits extends GatheringLimits {
  /** Records that are under way at once, each to another partition. What comes meanwhile is gathered. */
  readonly maxRecordsInFlight: number;
  /** How old what is known of the topic's partitions may be. */
  readonly partitionsMaxAgeMs: number;
}

export interface RequestSenderOptions extends RequestSenderLimits {
  readonly bus: Bus;
  readonly service: string;
  readonly key: SigningKey;
  readonly client: string;
  nowMs(): number;
}

/** A request on its way to some partition. */
export interface Outgoing extends Gathered {
  readonly id: number;
  readonly pattern: string;
  readonly dataJson: string;
  /** By `performance.now()`. */
  readonly deadlineMs: number;
  /** The partition that it was sent to before: this time it goes to another one. */
  readonly lane?: number;
  /** Whether somebody still waits for the answer. */
  isWanted(): boolean;
  onSent(lane: number): void;
  onFailed(error: unknown): void;
}

/** Sends requests, several in a record where several wait, to the partitions of the topic in turn. */
export class RequestSender {
  /** Where replies are to go. */
  replyPartition = 0;
  #partitions: readonly number[] = [];
  #knownSince = 0;
  #turn = 0;
  readonly #topic: string;
  readonly #busy = new Map<number, number>();
  readonly #gathering: Gathering<Outgoing>;

  constructor(private readonly options: RequestSenderOptions) {
    this.#topic = requestsTopic(options.service);
    this.#gathering = new Gathering({
      ...options,
      inFlight: () => Math.min(options.maxRecordsInFlight, this.#partitions.length),
      send: (items) => this.#produce(items),
    });
  }

  /** Asks for the partitions. */
  async connect(): Promise<void> {
    this.#knownSince = performance.now();
    const partitions = (await this.options.bus.ends(this.#topic)).map(({ partition }) => partition);
    // Clients that start together don't all begin with the same one.
    if (this.#partitions.length === 0) this.#turn = Math.floor(Math.random() * partitions.length);
    this.#partitions = partitions;
  }

  /** Whether there is another partition to try. */
  get canResend(): boolean {
    return this.#partitions.length > 1;
  }

  /** False when too much waits to be sent. */
  send(request: Outgoing): boolean {
    return this.#gathering.add(request);
  }

  async #produce(gathered: readonly Outgoing[]): Promise<void> {
    const { bus, key } = this.options;
    const items = gathered.filter((item) => item.isWanted());
    if (items.length === 0) return;
    this.#refresh();
    const partition = this.#next(items[0]!.lane);
    this.#busy.set(partition, (this.#busy.get(partition) ?? 0) + 1);
    for (const item of items) item.onSent(partition);
    try {
      await bus.produce(this.#topic, [signRecord(key, this.#topic, { key: null, value: this.#encode(items, partition), partition })]);
    } catch (error) {
      for (const item of items) item.onFailed(error);
    } finally {
      const left = this.#busy.get(partition)! - 1;
      if (left > 0) this.#busy.set(partition, left);
      else this.#busy.delete(partition);
    }
  }

  #encode(items: readonly Outgoing[], partition: number): Buffer {
    const { client, nowMs } = this.options;
    const now = performance.now();
    const requests = items.map(({ id, lane = partition, pattern, dataJson, deadlineMs }) =>
      requestJson({ id, lane, pattern, timeoutMs: Math.max(0, Math.ceil(deadlineMs - now)) }, dataJson),
    );
    return encodeRequests({ client, partition: this.replyPartition, sentAtMs: nowMs() }, requests);
  }

  /** The next in turn, free before busy, and not the one to avoid if there is another. */
  #next(avoid: number | undefined): number {
    const turn = this.#turn++;
    const inTurn = this.#partitions.map((_, at) => this.#partitions[(turn + at) % this.#partitions.length]!);
    const others = inTurn.length > 1 ? inTurn.filter((partition) => partition !== avoid) : inTurn;
    return others.find((partition) => !this.#busy.has(partition)) ?? others[0]!;
  }

  #refresh(): void {
    if (performance.now() - this.#knownSince < this.options.partitionsMaxAgeMs) return;
    // What is known stays until something newer is.
    void this.connect().catch(() => undefined);
  }
}
