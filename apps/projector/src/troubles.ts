/** A trouble that nobody has told again for so long is over, or somebody else's: a partition moves without a word. */
export const TROUBLE_SHOWN_MS = 90_000;

/** Of the whole work, not of one partition. */
const ALL = -1;

/** What keeps the partitions of one work from getting on, as codes. */
export class Troubles {
  readonly #codes = new Map<number, { readonly code: string; readonly toldMs: number }>();

  constructor(private readonly nowMs: () => number = () => performance.now()) {}

  /** True when it is a new one. */
  tell(code: string, partition = ALL): boolean {
    const before = this.#current(partition);
    this.#codes.set(partition, { code, toldMs: this.nowMs() });
    return before !== code;
  }

  /** This partition gets on, and so the work does. */
  over(partition = ALL): void {
    this.#codes.delete(partition);
    this.#codes.delete(ALL);
  }

  get codes(): readonly string[] {
    return [...new Set([...this.#codes.keys()].flatMap((partition) => this.#current(partition) ?? []))];
  }

  #current(partition: number): string | undefined {
    const told = this.#codes.get(partition);
    return told && this.nowMs() - told.toldMs < TROUBLE_SHOWN_MS ? told.code : undefined;
  }
}
