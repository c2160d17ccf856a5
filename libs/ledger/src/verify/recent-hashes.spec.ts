import * as fc from 'fast-check';
import { RecentHashes } from './recent-hashes.js';

const hashOf = (sequence: number) => sequence.toString(16).padStart(64, '0');

describe('RecentHashes', () => {
  it('P9: remembers the last ones and no more', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 40 }), fc.nat(100), fc.nat(100), (max, from, count) => {
        const hashes = new RecentHashes(max);
        for (let sequence = from; sequence < from + count; sequence += 1) hashes.add(sequence, hashOf(sequence));
        for (let sequence = 0; sequence <= from + count + 1; sequence += 1) {
          const known = sequence >= from && sequence < from + count && sequence >= from + count - max;
          expect(hashes.get(sequence)).toBe(known ? hashOf(sequence) : undefined);
        }
      }),
    );
  });

  it('starts anew after a gap', () => {
    const hashes = new RecentHashes(8);
    hashes.add(0, hashOf(0));
    hashes.add(5, hashOf(5));
    expect([hashes.get(0), hashes.get(3), hashes.get(5)]).toEqual([undefined, undefined, hashOf(5)]);
  });
});
