import murmur2 from 'kafkajs/src/producer/partitioners/default/murmur2.js';

const POSITIVE = 0x7f_ff_ff_ff;

/** The partition of a key as Java's default partitioner picks it, so that other clients find the same one. */
export function partitionOfKey(key: string, count: number): number {
  return (murmur2(Buffer.from(key)) & POSITIVE) % count;
}
