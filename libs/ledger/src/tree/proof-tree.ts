import { EMPTY_ROOT, nodeHash } from './hashing.js';

/**
 * A tree kept whole (two hashes a leaf), to make proofs from: inclusion and consistency at any size that it has reached
 * (RFC 9162 sections 2.1.3.1 and 2.1.4.1). Built from the stored leaf hashes.
 */
export class ProofTree {
  /** `#levels[h][i]` is the root of the perfect subtree of 2^h leaves that starts at leaf i * 2^h. */
  readonly #levels: Buffer[][] = [[]];

  constructor(leafHashes: Iterable<Buffer> = []) {
    for (const leaf of leafHashes) this.append(leaf);
  }

  get size(): number {
    return this.#level(0).length;
  }

  append(leaf: Buffer): void {
    let node = leaf;
    for (let height = 0; ; height += 1) {
      const level = this.#level(height);
      level.push(node);
      const left = level[level.length - 2];
      if (level.length % 2 === 1 || left === undefined) return;
      node = nodeHash(left, node);
    }
  }

  /** Throws RangeError when `size` is beyond the tree. */
  root(size = this.size): Buffer {
    this.#checkSize(size);
    return size === 0 ? EMPTY_ROOT : this.#range(0, size);
  }

  /** From the leaf up. Throws RangeError when the leaf is not in a tree of that size. */
  inclusionProof(index: number, size = this.size): readonly Buffer[] {
    this.#checkSize(size);
    if (!Number.isSafeInteger(index) || index < 0 || index >= size) throw new RangeError(`leaf ${index} is not in a tree of ${size}`);
    const path: Buffer[] = [];
    let [begin, end] = [0, size];
    while (end - begin > 1) {
      const middle = begin + splitPoint(end - begin);
      if (index < middle) {
        path.push(this.#range(middle, end));
        end = middle;
      } else {
        path.push(this.#range(begin, middle));
        begin = middle;
      }
    }
    return path.reverse();
  }

  /** That the tree of `first` leaves is the beginning of that of `second`. Empty when one is empty or both are the same. */
  consistencyProof(first: number, second = this.size): readonly Buffer[] {
    this.#checkSize(second);
    if (!Number.isSafeInteger(first) || first < 0 || first > second)
      throw new RangeError(`a tree of ${first} can't be the beginning of one of ${second}`);
    if (first === 0 || first === second) return [];
    const proof: Buffer[] = [];
    let [begin, end, known] = [0, second, true];
    while (first !== end) {
      const middle = begin + splitPoint(end - begin);
      if (first <= middle) {
        proof.push(this.#range(middle, end));
        end = middle;
      } else {
        proof.push(this.#range(begin, middle));
        begin = middle;
        known = false;
      }
    }
    if (!known) proof.push(this.#range(begin, end));
    return proof.reverse();
  }

  #range(begin: number, end: number): Buffer {
    const size = end - begin;
    const height = Math.log2(size);
    if (Number.isInteger(height) && begin % size === 0) {
      const node = this.#level(height)[begin / size];
      if (node) return node;
    }
    const middle = begin + splitPoint(size);
    return nodeHash(this.#range(begin, middle), this.#range(middle, end));
  }

  #level(height: number): Buffer[] {
    return (this.#levels[height] ??= []);
  }

  #checkSize(size: number): void {
    if (!Number.isSafeInteger(size) || size < 0 || size > this.size) throw new RangeError(`the tree has ${this.size} leaves, not ${size}`);
  }
}

/** The largest power of two below `size`, for two leaves or more. */
function splitPoint(size: number): number {
  let power = 1;
  while (power * 2 < size) power *= 2;
  return power;
}
