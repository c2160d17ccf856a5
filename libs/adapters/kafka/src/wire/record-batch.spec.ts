import fc from 'fast-check';
import { gzipSync } from 'node:zlib';
import { crc32c } from '@sallyport/journal';
import { BATCH_OVERHEAD_BYTES, decodeBatches, encodeBatch, prepareRecord, stampBatch } from './record-batch.js';
import { VarintReader, varintSize, writeVarint } from './varint.js';

const STAMP = { producerId: 7n, producerEpoch: 1, sequence: 5 };
const outgoing = fc.record({
  key: fc.option(fc.string({ unit: 'binary' }), { nil: null }),
  value: fc.uint8Array({ maxLength: 300 }),
  headers: fc.dictionary(fc.string({ unit: 'grapheme', minLength: 1 }), fc.string({ unit: 'grapheme' }), { noNullPrototype: true }),
  timestampMs: fc.integer({ min: 0, max: 4_102_444_800_000 }),
});

function batchOf(records: Parameters<typeof prepareRecord>[0][], baseOffset = 0n): Buffer {
  const batch = encodeBatch(records.map(prepareRecord));
  stampBatch(batch, STAMP);
  // The broker says where it stands; the checksum does not cover that.
  batch.writeBigInt64BE(baseOffset, 0);
  return batch;
}

const refused = (bytes: Buffer): string => {
  try {
    decodeBatches('t', 0, bytes, 0n);
    return 'taken';
  } catch (error) {
    return (error as { code: string }).code;
  }
};

describe('varints', () => {
  it('come back as they were, in as many bytes as was said', () => {
    fc.assert(
      fc.property(fc.integer({ min: -(2 ** 50), max: 2 ** 50 }), (value) => {
        const bytes = Buffer.alloc(12);
        const end = writeVarint(bytes, 0, value);
        expect(end).toBe(varintSize(value));
        expect(new VarintReader(bytes, 0).varint()).toBe(value);
      }),
    );
  });

  it('are refused when they do not end', () => {
    expect(() => new VarintReader(Buffer.from([0x80, 0x80]), 0).varint()).toThrow('end too soon');
    expect(() => new VarintReader(Buffer.alloc(20, 0xff), 0).varint()).toThrow('does not end');
  });
});

describe('record batches', () => {
  it('come back as they were written', () => {
    fc.assert(
      fc.property(fc.array(outgoing, { minLength: 1, maxLength: 20 }), fc.bigInt({ min: 0n, max: 2n ** 60n }), (records, baseOffset) => {
        const { records: found, next } = decodeBatches('topic', 3, batchOf(records, baseOffset), baseOffset);
        expect(next).toBe(baseOffset + BigInt(records.length));
        expect(found).toEqual(
          records.map(({ key, value, headers, timestampMs }, n) => ({
            topic: 'topic',
            partition: 3,
            offset: baseOffset + BigInt(n),
            // A lone surrogate is no UTF-8 and becomes U+FFFD, as everywhere in Node.
            key: key === null ? null : Buffer.from(key).toString(),
            value: Buffer.from(value),
            headers,
            timestampMs,
          })),
        );
      }),
    );
  });

  it('take no more room than was said before', () => {
    fc.assert(
      fc.property(fc.array(outgoing, { minLength: 1, maxLength: 20 }), (records) => {
        const prepared = records.map(prepareRecord);
        const atMost = prepared.reduce((sum, { bytes }) => sum + bytes, BATCH_OVERHEAD_BYTES);
        expect(encodeBatch(prepared).length).toBeLessThanOrEqual(atMost);
      }),
    );
  });

  it('take a Uint8Array for what it is', () => {
    const [record] = decodeBatches('t', 0, batchOf([{ key: 'k', value: new Uint8Array([1, 2, 3]) }]), 0n).records;
    expect([...record!.value]).toEqual([1, 2, 3]);
  });

  it('are read from an offset on, and up to one that is cut off', () => {
    const whole = Buffer.concat([
      batchOf(
        [0, 1, 2].map((n) => ({ key: null, value: Buffer.from(`${n}`) })),
        10n,
      ),
      batchOf(
        [3, 4].map((n) => ({ key: null, value: Buffer.from(`${n}`) })),
        13n,
      ),
    ]);
    const read = (bytes: Buffer, from: bigint) => {
      const { records, next } = decodeBatches('t', 0, bytes, from);
      return [records.map(({ value }) => value.toString()).join(), next];
    };
    expect(read(whole, 0n)).toEqual(['0,1,2,3,4', 15n]);
    expect(read(whole, 12n)).toEqual(['2,3,4', 15n]);
    expect(read(whole.subarray(0, whole.length - 1), 11n)).toEqual(['1,2', 13n]);
    expect(read(whole.subarray(0, 30), 10n)).toEqual(['', undefined]);
  });

  it('have an empty record for the mark of a transaction, and go on behind what compaction took', () => {
    const control = batchOf([{ key: 'mark', value: Buffer.from('v') }], 4n);
    control.writeInt16BE(0x20, 21);
    control.writeUInt32BE(crc32c(control, 21), 17);
    const compacted = batchOf([{ key: 'k', value: Buffer.from('kept') }], 5n);
    compacted.writeInt32BE(9, 23);
    compacted.writeUInt32BE(crc32c(compacted, 21), 17);
    const { records, next, unreadable } = decodeBatches('t', 0, Buffer.concat([control, compacted]), 4n);
    expect(records.map(({ offset, key, value }) => [offset, key, value.toString()])).toEqual([
      [4n, null, ''],
      [5n, 'k', 'kept'],
    ]);
    expect({ next, unreadable }).toEqual({ next: 15n, unreadable: [] });
  });

  it('P9: are read when a topic was compressed with gzip, and passed over, place by place, when with another codec', () => {
    const plain = batchOf([1, 2].map((n) => ({ key: 'k', value: Buffer.from(`${n}`.repeat(100)) })));
    const zipped = Buffer.concat([plain.subarray(0, BATCH_OVERHEAD_BYTES), gzipSync(plain.subarray(BATCH_OVERHEAD_BYTES))]);
    const seal = (codec: number): Buffer => {
      zipped.writeInt32BE(zipped.length - 12, 8);
      zipped.writeInt16BE(codec, 21);
      zipped.writeUInt32BE(crc32c(zipped, 21), 17);
      return zipped;
    };
    expect(decodeBatches('t', 0, seal(1), 0n).records[0]!.value.toString()).toBe('1'.repeat(100));
    const behind = batchOf([{ key: 'k', value: Buffer.from('behind') }], 2n);
    const { records, next, unreadable } = decodeBatches('t', 0, Buffer.concat([seal(4), behind]), 1n);
    expect(records.map(({ offset, value }) => [offset, value.toString()])).toEqual([
      [1n, ''],
      [2n, 'behind'],
    ]);
    expect(next).toBe(3n);
    expect(unreadable.map(({ code, message }) => `${code} ${message}`)).toEqual([
      expect.stringContaining('CORRUPT_RECORD t/0 from offset 0 to 1: compressed with zstd, which is not read here'),
    ]);
  });

  it('P1: are refused when a single bit is not as it was', () => {
    const good = batchOf([{ key: 'k', value: Buffer.from('value'), headers: { a: 'b' } }]);
    fc.assert(
      // From the leader's epoch on: what stands before is the broker's, and checked by what it leads to.
      fc.property(fc.integer({ min: 16, max: good.length - 1 }), fc.integer({ min: 0, max: 7 }), (at, bit) => {
        const bad = Buffer.from(good);
        bad[at]! ^= 1 << bit;
        expect(refused(bad)).toBe('CORRUPT_RECORD');
      }),
    );
  });

  it('are refused when their length can not be', () => {
    const bad = batchOf([{ key: 'k', value: Buffer.from('v') }]);
    bad.writeInt32BE(3, 8);
    expect(refused(bad)).toBe('CORRUPT_RECORD');
    bad.writeInt32BE(-1, 8);
    expect(refused(bad)).toBe('CORRUPT_RECORD');
  });

  it('P9: that fit their checksum and nothing else are passed over, and read nothing beyond', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 60 }), fc.integer({ min: 1, max: 1000 }), (noise, count) => {
        const bad = Buffer.concat([batchOf([{ key: null, value: Buffer.alloc(0) }]).subarray(0, BATCH_OVERHEAD_BYTES), noise]);
        bad.writeInt32BE(bad.length - 12, 8);
        bad.writeInt32BE(count, 57);
        bad.writeUInt32BE(crc32c(bad, 21), 17);
        expect(decodeBatches('t', 0, bad, 0n).next).toBe(1n);
      }),
    );
  });
});
