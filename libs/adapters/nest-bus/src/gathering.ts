export interface GatheringLimits {
  /** Requests or replies in one record. */
  readonly maxBatchRequests: number;
  /** Of one record: the next one that would not fit goes into another. One alone may be larger. */
  readonly maxBatchBytes: number;
  /** Of what waits to be sent. What is more is refused. */
  readonly maxUnsentBytes: number;
}

export const GATHERING_LIMITS: GatheringLimits = { maxBatchRequests: 256, maxBatchBytes: 256 * 1024, maxUnsentBytes: 16 * 2 ** 20 };

export interface Gathered {
  readonly bytes: number;
  /** Only those with the same one go together. */
  readonly lane?: number;
}

export interface GatheringOptions<Item extends Gathered> extends GatheringLimits {
  /** Sends that are under way at once. */
  inFlight(): number;
  /** Handles its own failures. */
  send(items: readonly Item[]): Promise<void>;
  /** Nothing waits and nothing is under way. */
  onIdle?(): void;
}

/**
 * Makes one send of what comes while others are under way. Nothing waits for company: what comes first goes at the end of the current
 * turn, together with what came in the same turn.
 */
export class Gathering<Item extends Gathered> {
  #unsent: Item[] = [];
  #unsentBytes = 0;
  #sending = 0;
  #scheduled = false;
  #waiting: (() => void)[] = [];

  constructor(private readonly options: GatheringOptions<Item>) {}

  get idle(): boolean {
    return this.#sending === 0 && this.#unsent.length === 0;
  }

  /** False when too much waits already: then nothing was taken. */
  add(item: Item): boolean {
    if (this.#unsentBytes + item.bytes > this.options.maxUnsentBytes && this.#unsent.length > 0) return false;
    this.#unsent.push(item);
    this.#unsentBytes += item.bytes;
    this.#schedule();
    return true;
  }

  /** Resolves when everything was sent. */
  async sent(): Promise<void> {
    if (!this.idle) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    queueMicrotask(() => {
      this.#scheduled = false;
      this.#go();
    });
  }

  #go(): void {
    while (this.#unsent.length > 0 && this.#sending < this.options.inFlight()) {
      this.#sending += 1;
      void this.options.send(this.#take()).finally(() => {
        this.#sending -= 1;
        if (!this.idle) return this.#schedule();
        this.options.onIdle?.();
        for (const proceed of this.#waiting.splice(0)) proceed();
      });
    }
  }

  #take(): readonly Item[] {
    const { maxBatchRequests, maxBatchBytes } = this.options;
    const lane = this.#unsent[0]?.lane;
    let [count, bytes] = [0, 0];
    for (const item of this.#unsent) {
      if (count > 0 && (count >= maxBatchRequests || bytes + item.bytes > maxBatchBytes || item.lane !== lane)) break;
      bytes += item.bytes;
      count += 1;
    }
    const taken = this.#unsent.slice(0, count);
    this.#unsent = this.#unsent.slice(count);
    this.#unsentBytes -= bytes;
    return taken;
  }
}
