interface Candidate<T> {
  readonly value: T;
  /** The exchange that proposed it, if its failure makes the target ignore all up to the next Sync. */
  readonly exchange: number;
}

/**
 * Prepared statements and portals by name. What a name stands for at the target is certain only when the target has
 * said so: a Parse of a name that exists fails and leaves the old statement, and a Parse behind an error is never looked at.
 * Until then a name has every meaning it may have, and all of them are judged (docs/adr/0004).
 */
export class Names<T> {
  readonly #candidates = new Map<string, Candidate<T>[]>();

  constructor(
    private readonly maxNames: number,
    /** Told of each meaning that is gone. */
    private readonly dropped: (value: T) => void = () => undefined,
  ) {}

  get size(): number {
    return this.#candidates.size;
  }

  /**
   * Every meaning the name may have for a message that is sent now, newest last. What was proposed after the last Sync either
   * holds, or its failure has the target ignore that message too.
   */
  of(name: string, lastSync = Infinity): readonly T[] {
    const all = this.#candidates.get(name) ?? [];
    const newest = all.at(-1);
    return newest && newest.exchange > lastSync ? [newest.value] : all.map(({ value }) => value);
  }

  /** False when the limit is reached and nothing was taken. `exchange` 0: made by SQL, where a failure ignores nothing. */
  propose(name: string, value: T, exchange: number): boolean {
    const before = this.#candidates.get(name);
    if (!before && this.#candidates.size >= this.maxNames) return false;
    // Drivers prepare the unnamed one over and over; how many may wait is bounded by the exchanges that wait.
    if (name !== '' && before && before.length >= MAX_CANDIDATES) return false;
    if (before) before.push({ value, exchange });
    else this.#candidates.set(name, [{ value, exchange }]);
    return true;
  }

  /** The target took it: now the name means this. What was proposed after it stays possible. */
  confirm(name: string, value: T): void {
    const all = this.#candidates.get(name) ?? [];
    const at = all.findIndex((candidate) => candidate.value === value);
    for (const { value: gone } of all.splice(0, Math.max(at, 0))) this.dropped(gone);
  }

  /** The target refused it. */
  reject(name: string, value: T): void {
    this.#keep(name, (candidate) => candidate.value !== value);
  }

  /** The target closed it: what was proposed since may still come. */
  closed(name: string, before: readonly T[]): void {
    this.#keep(name, ({ value }) => !before.includes(value));
  }

  /** All that there is by now; the function says that the target has dropped it. */
  closing(): () => void {
    const before = [...this.#candidates].map(([name, all]) => [name, all.map(({ value }) => value)] as const);
    return () => before.forEach(([name, values]) => this.closed(name, values));
  }

  /** Everything that was proposed before this exchange is gone. */
  dropBefore(exchange: number): void {
    for (const name of this.#candidates.keys()) this.#keep(name, (candidate) => candidate.exchange > exchange);
  }

  *values(): Iterable<T> {
    for (const all of this.#candidates.values()) for (const { value } of all) yield value;
  }

  #keep(name: string, fits: (candidate: Candidate<T>) => boolean): void {
    const all = this.#candidates.get(name);
    if (!all) return;
    const rest: Candidate<T>[] = [];
    const gone: Candidate<T>[] = [];
    for (const candidate of all) (fits(candidate) ? rest : gone).push(candidate);
    if (rest.length === 0) this.#candidates.delete(name);
    else if (gone.length > 0) this.#candidates.set(name, rest);
    for (const { value } of gone) this.dropped(value);
  }
}

/** Meanings one name may have at once; only a client that pipelines clashing names without end gets there. */
const MAX_CANDIDATES = 8;
