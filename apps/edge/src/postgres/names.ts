/**
 * Prepared statements and portals by name. What a name stands for at the target is certain only when the target has
 * said so: a Parse of a name that exists fails and leaves the old statement. Until then a name has every meaning it may
 * have, and all of them are judged.
 */
export class Names<T> {
  readonly #candidates = new Map<string, readonly T[]>();

  constructor(private readonly maxNames: number) {}

  get size(): number {
    return this.#candidates.size;
  }

  /** Every meaning the name may have, newest last. */
  of(name: string): readonly T[] {
    return this.#candidates.get(name) ?? [];
  }

  /** False when the limit is reached and nothing was taken. The unnamed one is replaced for certain: it is always dropped first. */
  propose(name: string, value: T): boolean {
    const before = name === '' ? [] : this.of(name);
    if (before.length === 0 && !this.#candidates.has(name) && this.#candidates.size >= this.maxNames) return false;
    if (before.length >= MAX_CANDIDATES) return false;
    this.#candidates.set(name, [...before, value]);
    return true;
  }

  /** The target took it: now the name means this. What was proposed after it stays possible. */
  confirm(name: string, value: T): void {
    const all = this.of(name);
    const at = all.indexOf(value);
    if (at >= 0) this.#candidates.set(name, all.slice(at));
  }

  /** The target refused it. */
  reject(name: string, value: T): void {
    const rest = this.of(name).filter((candidate) => candidate !== value);
    if (rest.length === 0) this.#candidates.delete(name);
    else this.#candidates.set(name, rest);
  }

  /** The target closed it: what was proposed since may still come. */
  closed(name: string, before: readonly T[]): void {
    const rest = this.of(name).filter((candidate) => !before.includes(candidate));
    if (rest.length === 0) this.#candidates.delete(name);
    else this.#candidates.set(name, rest);
  }

  clear(): void {
    this.#candidates.clear();
  }

  *values(): Iterable<T> {
    for (const all of this.#candidates.values()) yield* all;
  }
}

/** Meanings one name may have at once; only a client that pipelines clashing names without end gets there. */
const MAX_CANDIDATES = 8;
