import { EMPTY_ROOT, HASH_BYTES, nodeHash } from './hashing.js';

export interface InclusionClaim {
  /** From 0. */
  readonly index: number;
  readonly size: number;
  readonly leafHash: Buffer;
  readonly proof: readonly Buffer[];
  readonly root: Buffer;
}

/** RFC 9162 section 2.1.3.2. False for whatever doesn't prove it; never throws. */
export function verifyInclusion({ index, size, leafHash, proof, root }: InclusionClaim): boolean {
  if (!isSize(index) || !isSize(size) || index >= size || !allHashes([leafHash, root, ...proof])) return false;
  let [fn, sn, node] = [index, size - 1, leafHash];
  for (const sibling of proof) {
    if (sn === 0) return false;
    if (fn % 2 === 1 || fn === sn) {
      node = nodeHash(sibling, node);
      while (fn % 2 === 0 && fn !== 0) [fn, sn] = [fn / 2, Math.floor(sn / 2)];
    } else {
      node = nodeHash(node, sibling);
    }
    [fn, sn] = [Math.floor(fn / 2), Math.floor(sn / 2)];
  }
  return sn === 0 && node.equals(root);
}

export interface ConsistencyClaim {
  readonly first: { readonly size: number; readonly root: Buffer };
  readonly second: { readonly size: number; readonly root: Buffer };
  readonly proof: readonly Buffer[];
}

/** RFC 9162 section 2.1.4.2. False for whatever doesn't prove it; never throws. An empty tree is the beginning of every tree. */
export function verifyConsistency({ first, second, proof }: ConsistencyClaim): boolean {
  if (!isSize(first.size) || !isSize(second.size) || first.size > second.size || !allHashes([first.root, second.root, ...proof]))
    return false;
  if (first.size === second.size) return proof.length === 0 && first.root.equals(second.root);
  if (first.size === 0) return proof.length === 0 && first.root.equals(EMPTY_ROOT);
  const path = isPowerOfTwo(first.size) ? [first.root, ...proof] : proof;
  const [start] = path;
  if (start === undefined) return false;
  let [fn, sn] = [first.size - 1, second.size - 1];
  while (fn % 2 === 1) [fn, sn] = [(fn - 1) / 2, Math.floor(sn / 2)];
  let [fr, sr] = [start, start];
  for (const node of path.slice(1)) {
    if (sn === 0) return false;
    if (fn % 2 === 1 || fn === sn) {
      fr = nodeHash(node, fr);
      sr = nodeHash(node, sr);
      while (fn % 2 === 0 && fn !== 0) [fn, sn] = [fn / 2, Math.floor(sn / 2)];
    } else {
      sr = nodeHash(sr, node);
    }
    [fn, sn] = [Math.floor(fn / 2), Math.floor(sn / 2)];
  }
  return sn === 0 && fr.equals(first.root) && sr.equals(second.root);
}

function isSize(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

function isPowerOfTwo(size: number): boolean {
  return Number.isInteger(Math.log2(size));
}

function allHashes(hashes: readonly Buffer[]): boolean {
  return hashes.every((hash) => hash.length === HASH_BYTES);
}
