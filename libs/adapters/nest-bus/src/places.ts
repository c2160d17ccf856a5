export interface PlacesLimits {
  /** Requests that are with a handler. */
  readonly maxRunningRequests: number;
  /** Of these, the ones of one service that asks: one that asks for much leaves room for the others. */
  readonly maxRunningPerCaller: number;
  /** Requests of one service that wait for a place. More are refused with `BUS_TOO_MANY_REQUESTS`. */
  readonly maxWaitingPerCaller: number;
  readonly maxWaitingBytesPerCaller: number;
}

interface Waiting {
  readonly bytes: number;
  readonly run: () => void;
}

interface Caller {
  running: number;
  waitingBytes: number;
  readonly waiting: Waiting[];
}

/** The places at the handlers, shared among who asks: whoever waits longest without having got one comes next. */
export class Places {
  #running = 0;
  #filling = false;
  /** In the order of their turns. Only who runs or waits is in it. */
  readonly #callers = new Map<string, Caller>();
  #emptied: (() => void)[] = [];

  constructor(private readonly limits: PlacesLimits) {}

  /** Runs it when there is a place, at once or later. False when too much of this caller waits already. */
  take(name: string, bytes: number, run: () => void): boolean {
    const caller = this.#callers.get(name) ?? { running: 0, waitingBytes: 0, waiting: [] };
    const { maxWaitingPerCaller, maxWaitingBytesPerCaller } = this.limits;
    if (caller.waiting.length >= maxWaitingPerCaller || caller.waitingBytes + bytes > maxWaitingBytesPerCaller) return false;
    this.#callers.set(name, caller);
    caller.waiting.push({ bytes, run });
    caller.waitingBytes += bytes;
    this.#fill();
    return true;
  }

  /** Each `run` ends with one call of it. */
  release(name: string): void {
    const caller = this.#callers.get(name);
    if (!caller) return;
    caller.running -= 1;
    this.#running -= 1;
    this.#fill();
    if (caller.running === 0 && caller.waiting.length === 0) this.#callers.delete(name);
    if (this.#callers.size === 0) for (const proceed of this.#emptied.splice(0)) proceed();
  }

  /** Resolves when nothing runs and nothing waits. */
  async empty(): Promise<void> {
    if (this.#callers.size > 0) await new Promise<void>((resolve) => this.#emptied.push(resolve));
  }

  /** A `run` that ends at once comes back in here through `release`: the loop that is under way goes on with it. */
  #fill(): void {
    if (this.#filling) return;
    this.#filling = true;
    try {
      for (let next = this.#next(); next; next = this.#next()) this.#run(...next);
    } finally {
      this.#filling = false;
    }
  }

  #run(name: string, caller: Caller): void {
    this.#callers.delete(name);
    this.#callers.set(name, caller);
    const { bytes, run } = caller.waiting.shift()!;
    caller.waitingBytes -= bytes;
    caller.running += 1;
    this.#running += 1;
    run();
  }

  #next(): [string, Caller] | undefined {
    const { maxRunningRequests, maxRunningPerCaller } = this.limits;
    if (this.#running >= maxRunningRequests) return undefined;
    for (const entry of this.#callers) if (entry[1].waiting.length > 0 && entry[1].running < maxRunningPerCaller) return entry;
    return undefined;
  }
}
