import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { TreeBuilder } from './builder.js';
import { EMPTY_ROOT, leafHash, nodeHash } from './hashing.js';
import { ProofTree } from './proof-tree.js';
import { verifyConsistency, verifyInclusion } from './verify-proof.js';

interface Vectors {
  rfc6962: { leaves: string[]; roots: string[] };
  tree: {
    roots: string[];
    inclusion: { index: number; size: number; hashes: string[] }[];
    consistency: { first: number; second: number; hashes: string[] }[];
  };
}
const vectors = JSON.parse(readFileSync(join(import.meta.dirname, '../../testdata/vectors.json'), 'utf8')) as Vectors;
const leaf = (index: number) => leafHash(Buffer.from(`event ${index}`));
const treeOf = (size: number) => new ProofTree(Array.from({ length: size }, (_, index) => leaf(index)));
const base64 = (hashes: readonly Buffer[]) => hashes.map((hash) => hash.toString('base64'));

describe('Merkle tree', () => {
  it('P6: has the roots of the Certificate Transparency reference tests', () => {
    const builder = new TreeBuilder();
    expect(builder.root().toString('hex')).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
    const roots = vectors.rfc6962.leaves.map((bytes) => {
      builder.append(Buffer.from(bytes, 'hex'));
      return builder.root().toString('hex');
    });
    expect(roots).toEqual(vectors.rfc6962.roots);
  });

  it('P6: has the roots and makes the proofs of an independent implementation', () => {
    const tree = treeOf(vectors.tree.roots.length - 1);
    expect(vectors.tree.roots.map((_, size) => tree.root(size).toString('base64'))).toEqual(vectors.tree.roots);
    for (const { index, size, hashes } of vectors.tree.inclusion) expect(base64(tree.inclusionProof(index, size))).toEqual(hashes);
    for (const { first, second, hashes } of vectors.tree.consistency) expect(base64(tree.consistencyProof(first, second))).toEqual(hashes);
  });

  it('P6: proves each leaf in each size, and no other claim', () => {
    const tree = treeOf(20);
    for (let size = 1; size <= 20; size += 1) {
      const root = tree.root(size);
      for (let index = 0; index < size; index += 1) {
        const claim = { index, size, leafHash: leaf(index), proof: tree.inclusionProof(index, size), root };
        expect(verifyInclusion(claim)).toBe(true);
        expect(verifyInclusion({ ...claim, leafHash: leaf(index + 1) })).toBe(false);
        expect(verifyInclusion({ ...claim, index: index + 1 })).toBe(false);
        expect(verifyInclusion({ ...claim, index: index + size })).toBe(false);
        expect(verifyInclusion({ ...claim, root: EMPTY_ROOT })).toBe(false);
        expect(verifyInclusion({ ...claim, proof: [...claim.proof, root] })).toBe(false);
        if (size > 1) expect(verifyInclusion({ ...claim, proof: claim.proof.slice(1) })).toBe(false);
      }
    }
  });

  it('P6: takes no inner node for a leaf, and no proof that goes above the root', () => {
    const tree = treeOf(8);
    const root = tree.root();
    expect(verifyInclusion({ index: 0, size: 8, leafHash: root, proof: [], root })).toBe(false);
    expect(verifyInclusion({ index: 0, size: 1, leafHash: leaf(0), proof: [leaf(1)], root: tree.root(2) })).toBe(false);
    expect(verifyInclusion({ index: 0, size: 1, leafHash: leaf(1), proof: [leaf(0)], root: tree.root(2) })).toBe(false);
    const above = nodeHash(leaf(9), root);
    expect(verifyConsistency({ first: { size: 8, root }, second: { size: 9, root: above }, proof: [leaf(9), leaf(9)] })).toBe(false);
    expect(verifyConsistency({ first: { size: 4, root: tree.root(4) }, second: { size: 8, root: tree.root(4) }, proof: [] })).toBe(false);
  });

  it('P6: proves that each size is the beginning of each larger one, and no other claim', () => {
    const tree = treeOf(20);
    const other = new ProofTree([leaf(99), ...Array.from({ length: 19 }, (_, index) => leaf(index + 1))]);
    for (let second = 0; second <= 20; second += 1) {
      for (let first = 0; first <= second; first += 1) {
        const proof = tree.consistencyProof(first, second);
        const claim = { first: { size: first, root: tree.root(first) }, second: { size: second, root: tree.root(second) }, proof };
        expect(verifyConsistency(claim)).toBe(true);
        expect(verifyConsistency({ ...claim, proof: [...proof, EMPTY_ROOT] })).toBe(false);
        if (proof.length > 0) {
          expect(verifyConsistency({ ...claim, proof: proof.slice(1) })).toBe(false);
          expect(verifyConsistency({ ...claim, proof: [EMPTY_ROOT, ...proof.slice(1)] })).toBe(false);
        }
        if (first > 0) {
          expect(verifyConsistency({ ...claim, first: { size: first, root: other.root(first) } })).toBe(false);
          expect(
            verifyConsistency({ ...claim, proof: other.consistencyProof(first, second), first: { size: first, root: other.root(first) } }),
          ).toBe(false);
        }
        if (first > 0 && first < second) expect(verifyConsistency({ ...claim, first: claim.second, second: claim.first })).toBe(false);
      }
    }
  });

  it('P6: grows the same from a saved frontier, in logarithmic space', () => {
    fc.assert(
      fc.property(fc.nat(200), fc.nat(200), (before, after) => {
        const first = new TreeBuilder();
        for (let index = 0; index < before; index += 1) first.append(Buffer.from(`event ${index}`));
        const frontier = JSON.parse(JSON.stringify(first.frontier())) as ReturnType<TreeBuilder['frontier']>;
        expect(frontier.hashes.length).toBeLessThanOrEqual(Math.ceil(Math.log2(before + 1)));
        const second = new TreeBuilder(frontier);
        for (let index = before; index < before + after; index += 1) second.append(Buffer.from(`event ${index}`));
        expect(second.size).toBe(before + after);
        expect(second.root()).toEqual(treeOf(before + after).root());
      }),
    );
  });

  it('refuses a frontier that does not fit its size, and proofs beyond the tree', () => {
    const { hashes } = new TreeBuilder({ size: 0, hashes: [] }).frontier();
    expect(hashes).toEqual([]);
    for (const frontier of [
      { size: 1, hashes: [] },
      { size: 2, hashes: ['AAAA'] },
      { size: -1, hashes: [] },
      { size: 0.5, hashes: [] },
    ]) {
      expect(() => new TreeBuilder(frontier)).toThrow(expect.objectContaining({ code: 'LEDGER_FRONTIER' }));
    }
    const tree = treeOf(3);
    expect(() => tree.inclusionProof(3)).toThrow(RangeError);
    expect(() => tree.inclusionProof(2, 4)).toThrow(RangeError);
    expect(() => tree.consistencyProof(3, 2)).toThrow(RangeError);
    expect(() => tree.root(4)).toThrow(RangeError);
  });
});
