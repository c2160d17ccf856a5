import { partitionOfKey } from './partitioner.js';

describe('the partition of a key', () => {
  // What `Utils.toPositive(Utils.murmur2(key))` of Apache Kafka 4.3.1 gives.
  it.each([
    ['', 275_646_681],
    ['21', 1_173_551_340],
    ['foobar', 1_357_151_166],
    ['a-little-bit-long-string', 1_161_502_112],
    ['a-little-bit-longer-string', 661_178_819],
    ['session-1', 1_363_945_804],
    ['ключ', 2_122_343_024],
  ])('of %p is where Java looks for it', (key, hash) => {
    for (const count of [1, 3, 12, 100]) expect(partitionOfKey(key, count)).toBe(hash % count);
  });
});
