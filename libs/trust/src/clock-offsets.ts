/** Senders whose clocks are known; who has been silent longest is forgotten first. */
export const CLOCK_SENDERS_MAX = 10_000;

/**
 * How old a message is, although its sender's clock is not ours. Of each sender the smallest difference between its clock and ours that
 * was ever seen is taken for the difference of the clocks: what is above it was time under way. Two clocks five minutes apart cost
 * nothing; the first message of a sender counts as new.
 */
export class ClockOffsets {
  readonly #smallest = new Map<string, number>();

  /** Milliseconds, at least 0. */
  ageMs(sender: string, sentAtMs: number, nowMs: number): number {
    const offset = nowMs - sentAtMs;
    const known = this.#smallest.get(sender);
    const smallest = known === undefined ? offset : Math.min(known, offset);
    this.#smallest.delete(sender);
    this.#smallest.set(sender, smallest);
    if (this.#smallest.size > CLOCK_SENDERS_MAX)
      for (const oldest of this.#smallest.keys()) {
        this.#smallest.delete(oldest);
        break;
      }
    return offset - smallest;
  }
}
