import type { JournalError } from './journal-error.js';

interface Wait {
  readonly offset: number;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** Promises for offsets, mostly asked for in order. */
export class Waits {
  #waits: Wait[] = [];

  get size(): number {
    return this.#waits.length;
  }

  /** The lowest offset that somebody waits for. */
  get lowest(): number {
    return this.#waits[0]?.offset ?? Infinity;
  }

  add(offset: number): Promise<void> {
    return new Promise((resolve, reject) => {
      let at = this.#waits.length;
      while (at > 0 && this.#waits[at - 1]!.offset > offset) at -= 1;
      const wait = { offset, resolve, reject };
      if (at === this.#waits.length) this.#waits.push(wait);
      else this.#waits.splice(at, 0, wait);
    });
  }

  resolveThrough(offset: number): void {
    let count = 0;
    while (count < this.#waits.length && this.#waits[count]!.offset <= offset) count += 1;
    if (count === 0) return;
    for (const wait of this.#waits.splice(0, count)) wait.resolve();
  }

  rejectFrom(offset: number, error: JournalError): void {
    const at = this.#waits.findIndex((wait) => wait.offset >= offset);
    if (at < 0) return;
    for (const wait of this.#waits.splice(at)) wait.reject(error);
  }
}
