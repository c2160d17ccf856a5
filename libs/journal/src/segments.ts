import type { SparseIndex } from './sparse-index.js';

/** One segment file, as far as it is written. */
export interface Segment {
  readonly base: number;
  readonly path: string;
  readonly file: string;
  readonly mark: number;
  readonly previousEnd: number;
  readonly head: Buffer;
  /** Of the first record. */
  readonly start: number;
  /** Frame bytes of all segments before it, since opening: a running count to measure between two places with. */
  readonly bytesBefore: number;
  /** The offset behind the last record, and its place in the file. */
  end: number;
  endPosition: number;
  /** Absent until somebody reads there. */
  index: SparseIndex | undefined;
}

/** The segment that holds `offset`, or the next one when none does; undefined past the end. */
export function segmentFor(segments: readonly Segment[], offset: number): Segment | undefined {
  let low = 0;
  let high = segments.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (segments[middle]!.end <= offset) low = middle + 1;
    else high = middle;
  }
  return segments[low];
}
