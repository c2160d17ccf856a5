/**
 * What the target still owes an answer to, in order (PostgreSQL protocol, Message Flow). Every frontend message that is
 * forwarded and has an answer is put here, so that each backend message can be told whose it is: which operation it
 * counts for, how it is masked, whether it answers a question of ours that the agent must not see.
 */
export interface Exchange<Op> {
  readonly kind: 'query' | 'parse' | 'bind' | 'describe' | 'execute' | 'close' | 'sync';
  readonly op?: Op;
  /** Sure to fail: what follows up to the next Sync is ignored. */
  readonly fails?: boolean;
  /** Asked by the edge itself: the answer stays here. */
  readonly ours?: boolean;
  /** How often the target may go into copy mode for it. */
  readonly copies?: Copies;
  /** The target did it. */
  confirm?(): void;
  /** The target refused it, or never looked at it. */
  reject?(): void;
}

/** COPY FROM STDIN and COPY TO STDOUT that are still to come. */
export interface Copies {
  in: number;
  out: number;
}

interface Queued<Op> {
  readonly exchange: Exchange<Op>;
  readonly number: number;
}

export class Exchanges<Op> {
  #queue: Queued<Op>[] = [];
  #at = 0;
  #pushed = 0;
  #lastSync = 0;
  #skipping = false;
  #copyIn = false;
  /** The exchange that may bring copy mode, while it waits: nothing was sent behind it. */
  #copying: Exchange<Op> | undefined;

  /** Exchanges that wait for an answer. */
  get size(): number {
    return this.#queue.length - this.#at;
  }

  /** The number that the next exchange gets; they only grow. */
  get next(): number {
    return this.#pushed + 1;
  }

  /** Number of the newest Sync. What fails behind it makes the target ignore the rest up to the next one. */
  get lastSync(): number {
    return this.#lastSync;
  }

  /** After an error in the extended protocol the target ignores everything up to the next Sync. */
  get skipping(): boolean {
    return this.#skipping;
  }

  /** The target reads copy data, and ignores Sync and Flush. */
  get copyIn(): boolean {
    return this.#copyIn;
  }

  /**
   * Whether the target may be about to read copy data. What a message means then depends on whether it does or fails: nothing
   * may be sent before that is known.
   */
  get mayCopyIn(): boolean {
    return !this.#copyIn && (this.#copying?.copies?.in ?? 0) > 0;
  }

  /** Whether what waits ends with something that is answered by ReadyForQuery. */
  get endsReady(): boolean {
    const last = this.#queue.at(-1)?.exchange;
    return last !== undefined && (last.kind === 'query' || last.kind === 'sync');
  }

  get head(): Exchange<Op> | undefined {
    return this.#queue[this.#at]?.exchange;
  }

  /** Whether an answer for this operation is still to come. */
  has(op: Op): boolean {
    for (let i = this.#at; i < this.#queue.length; i++) if (this.#queue[i]!.exchange.op === op) return true;
    return false;
  }

  /** False when the target will not answer it, because of an error that came while it was judged. */
  push(exchange: Exchange<Op>): boolean {
    if (exchange.kind === 'sync') this.#skipping = false;
    if (this.#skipping) return false;
    this.#pushed++;
    if (exchange.kind === 'sync') this.#lastSync = this.#pushed;
    if ((exchange.copies?.in ?? 0) > 0) this.#copying = exchange;
    this.#queue.push({ exchange, number: this.#pushed });
    if (exchange.fails) this.#skipping = true;
    return true;
  }

  /** The head has its last answer. Returns its number. */
  pop(): number {
    const number = this.#queue[this.#at]?.number ?? 0;
    this.#over(this.head);
    this.#at++;
    if (this.#at >= this.#queue.length) {
      this.#queue = [];
      this.#at = 0;
    } else if (this.#at > COMPACT_AFTER) {
      this.#queue = this.#queue.slice(this.#at);
      this.#at = 0;
    }
    return number;
  }

  /** CopyInResponse. False when nobody asked for it. */
  copyInStarted(): boolean {
    const copies = this.head?.copies;
    if (!copies || copies.in === 0 || this.#copyIn) return false;
    copies.in--;
    this.#copyIn = true;
    return true;
  }

  /** CopyOutResponse. False when nobody asked for it. */
  copyOutStarted(): boolean {
    const copies = this.head?.copies;
    if (!copies || copies.out === 0) return false;
    copies.out--;
    return true;
  }

  /** CopyDone or CopyFail is on its way to the target. Outside copy mode the target ignores them. */
  copyEnded(): void {
    this.#copyIn = false;
  }

  /**
   * ErrorResponse for the head. A simple query goes on to its ReadyForQuery; in the extended protocol nothing up to the next
   * Sync is answered. Returns what is over by it: the head, and what the target will never look at.
   */
  failed(): readonly Exchange<Op>[] {
    this.#copyIn = false;
    const { head } = this;
    if (head?.kind === 'query') {
      if (head.copies) head.copies.in = head.copies.out = 0;
      return [];
    }
    const over: Exchange<Op>[] = [];
    // Behind a Sync that was sent already there is nothing to skip, or something that failed on its own.
    this.#skipping ||= !this.#queue.slice(this.#at).some(({ exchange }) => exchange.kind === 'sync');
    for (; this.#at < this.#queue.length; this.#at++) {
      const next = this.#queue[this.#at]!.exchange;
      if (next.kind === 'sync') break;
      this.#over(next);
      over.push(next);
    }
    return over;
  }

  #over(exchange: Exchange<Op> | undefined): void {
    if (exchange !== this.#copying) return;
    this.#copying = undefined;
    this.#copyIn = false;
  }

  /** Everything that waits, for the end of the connection. */
  drain(): readonly Exchange<Op>[] {
    const rest = this.#queue.slice(this.#at).map(({ exchange }) => exchange);
    this.#copying = undefined;
    this.#queue = [];
    this.#at = 0;
    return rest;
  }
}

const COMPACT_AFTER = 1024;
