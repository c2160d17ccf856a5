import type { PartitionEnds } from './bus.port.js';

/** Tells when a consumer has been handed everything that was on a topic at one time. */
export class CaughtUp {
  /** Resolves then. */
  readonly reached: Promise<void>;
  /** Partition → the offset that isn't reached yet. */
  readonly #missing: Map<number, bigint>;
  #resolve: () => void = () => undefined;

  constructor(ends: readonly PartitionEnds[]) {
    this.#missing = new Map(ends.filter(({ first, next }) => next > first).map(({ partition, next }) => [partition, next]));
    this.reached = new Promise((resolve) => (this.#resolve = resolve));
    if (this.#missing.size === 0) this.#resolve();
  }

  /** All before `next` was handed out, or isn't going to be. */
  read(partition: number, next: bigint): void {
    if (next >= (this.#missing.get(partition) ?? 0n)) this.#missing.delete(partition);
    if (this.#missing.size === 0) this.#resolve();
  }
}
