/**
 * What the target still owes an answer to, in order (PostgreSQL protocol, Message Flow). Every frontend message that is
 * forwarded and has an answer is put here, so that each backend message can be told whose it is: which operation it
 * counts for, how it is masked, whether it answers a question of ours that the agent must not see.
 */
export interface Exchange<Op> {
  readonly kind: 'query' | 'parse' | 'bind' | 'describe' | 'execute' | 'close' | 'sync';
  readonly op?: Op;
  /** Asked by the edge itself: the answer stays here. */
  readonly ours?: boolean;
  /** The target did it. */
  confirm?(): void;
  /** The target refused it, or never looked at it. */
  reject?(): void;
}

type Queued<Op> = Exchange<Op> | typeof COPY_END;
/** Marks where the agent ended its copy data; it has no answer of its own. */
const COPY_END = Symbol('copy-end');

export class Exchanges<Op> {
  #queue: Queued<Op>[] = [];
  #at = 0;
  #skipping = false;
  #copyIn = false;

  /** Exchanges that wait for an answer. */
  get size(): number {
    return this.#queue.length - this.#at;
  }

  /** After an error in the extended protocol the target ignores everything up to the next Sync. */
  get skipping(): boolean {
    return this.#skipping;
  }

  /** Whether what waits ends with something that is answered by ReadyForQuery. */
  get endsReady(): boolean {
    const last = this.#queue.at(-1);
    return last !== undefined && last !== COPY_END && (last.kind === 'query' || last.kind === 'sync');
  }

  get head(): Exchange<Op> | undefined {
    const head = this.#queue[this.#at];
    return head === COPY_END ? undefined : head;
  }

  push(exchange: Exchange<Op>): void {
    if (exchange.kind === 'sync') {
      // In copy-in mode the target ignores Sync (protocol, COPY Operations).
      if (this.#copyIn) return;
      this.#skipping = false;
    }
    this.#queue.push(exchange);
  }

  /** CopyDone or CopyFail is on its way to the target. */
  copyEnded(): void {
    if (this.#copyIn) this.#copyIn = false;
    else if (this.size > 0) this.#queue.push(COPY_END);
  }

  /** The head has its last answer. */
  pop(): void {
    this.#at++;
    while (this.#queue[this.#at] === COPY_END) this.#at++;
    if (this.#at >= this.#queue.length) {
      this.#queue = [];
      this.#at = 0;
    } else if (this.#at > COMPACT_AFTER) {
      this.#queue = this.#queue.slice(this.#at);
      this.#at = 0;
    }
  }

  /** CopyInResponse: what was sent ahead of the data is read in copy-in mode, where the target ignores Sync. */
  copyInStarted(): void {
    const rest = this.#queue.slice(this.#at);
    const end = rest.indexOf(COPY_END);
    const during = end < 0 ? rest.length : end;
    this.#queue = rest.filter((exchange, i) => i >= during || exchange === COPY_END || exchange.kind !== 'sync');
    this.#at = 0;
    this.#copyIn = end < 0;
  }

  /**
   * ErrorResponse for the head. A simple query goes on to its ReadyForQuery; in the extended protocol nothing up to the next
   * Sync is answered. Returns what is over by it: the head, and what the target will never look at.
   */
  failed(): readonly Exchange<Op>[] {
    this.#copyIn = false;
    if (this.head?.kind === 'query') return [];
    const over: Exchange<Op>[] = [];
    this.#skipping = true;
    for (; this.#at < this.#queue.length; this.#at++) {
      const next = this.#queue[this.#at]!;
      if (next === COPY_END) continue;
      if (next.kind === 'sync') {
        this.#skipping = false;
        break;
      }
      over.push(next);
    }
    return over;
  }

  /** Everything that waits, for the end of the connection. */
  drain(): readonly Exchange<Op>[] {
    const rest = this.#queue.slice(this.#at).filter((exchange): exchange is Exchange<Op> => exchange !== COPY_END);
    this.#queue = [];
    this.#at = 0;
    return rest;
  }
}

const COMPACT_AFTER = 1024;
