import { LedgerError } from '../ledger-error.js';
import { EMPTY_ROOT, HASH_BYTES, leafHash, nodeHash } from './hashing.js';

/** The whole state of a growing tree: the roots of its perfect subtrees, largest first, one for each bit set in `size`. */
export interface Frontier {
  /** Leaves. */
  readonly size: number;
  /** Base64. */
  readonly hashes: readonly string[];
}

/** A Merkle tree (RFC 9162 section 2.1) that only grows, in memory that grows with the logarithm of its size. */
export class TreeBuilder {
  #size = 0;
  readonly #roots: Buffer[] = [];

  /** Throws `LEDGER_FRONTIER` when the saved state doesn't fit together. */
  constructor(frontier?: Frontier) {
    if (!frontier) return;
    const hashes = frontier.hashes.map((hash) => Buffer.from(hash, 'base64'));
    if (
      !Number.isSafeInteger(frontier.size) ||
      frontier.size < 0 ||
      hashes.length !== bitsSet(frontier.size) ||
      hashes.some((hash) => hash.length !== HASH_BYTES)
    ) {
      throw new LedgerError('LEDGER_FRONTIER', 'the saved state of the tree does not fit its size');
    }
    this.#size = frontier.size;
    this.#roots = hashes;
  }

  get size(): number {
    return this.#size;
  }

  /** Appends an event's bytes as a leaf and returns the leaf's hash, which is all that proofs need. */
  append(bytes: Uint8Array): Buffer {
    const leaf = leafHash(bytes);
    this.appendLeafHash(leaf);
    return leaf;
  }

  appendLeafHash(leaf: Buffer): void {
    let node = leaf;
    for (let size = this.#size; size % 2 === 1; size = (size - 1) / 2) {
      node = nodeHash(this.#roots.pop() ?? node, node);
    }
    this.#roots.push(node);
    this.#size += 1;
  }

  root(): Buffer {
    return this.#roots.length === 0 ? EMPTY_ROOT : this.#roots.reduceRight((right, left) => nodeHash(left, right));
  }

  frontier(): Frontier {
    return { size: this.#size, hashes: this.#roots.map((hash) => hash.toString('base64')) };
  }
}

/** Sizes go beyond 32 bits, so no bit operators. */
function bitsSet(size: number): number {
  let bits = 0;
  for (let rest = size; rest > 0; rest = Math.floor(rest / 2)) bits += rest % 2;
  return bits;
}
