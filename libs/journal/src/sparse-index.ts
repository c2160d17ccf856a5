const INTERVAL_BYTES = 16 * 1024;
const INTERVAL_MS = 100;

export interface IndexPoint {
  readonly offset: number;
  /** Bytes from the start of the file. */
  readonly position: number;
}

/** A few places of one segment, so that a read starts near its offset. Parallel arrays of numbers: 16 bytes a point. */
export class SparseIndex {
  readonly #offsets: number[] = [];
  readonly #positions: number[] = [];
  #lastMs = -Infinity;

  /** Call for each record in order; most are passed over. */
  add(offset: number, position: number, timestampMs: number): void {
    const last = this.#positions.length - 1;
    if (last >= 0 && position - this.#positions[last]! < INTERVAL_BYTES && timestampMs - this.#lastMs < INTERVAL_MS) return;
    this.#offsets.push(offset);
    this.#positions.push(position);
    this.#lastMs = timestampMs;
  }

  /** The last point at or before `offset`. */
  floor(offset: number): IndexPoint | undefined {
    let low = 0;
    let high = this.#offsets.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#offsets[middle]! <= offset) low = middle + 1;
      else high = middle;
    }
    return low === 0 ? undefined : { offset: this.#offsets[low - 1]!, position: this.#positions[low - 1]! };
  }
}
