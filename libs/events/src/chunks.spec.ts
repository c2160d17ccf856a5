import * as fc from 'fast-check';
import { JOINER_LIMITS, Joiner, split } from './chunks.js';

const at = (offset: number, chunk: { headers: Readonly<Record<string, string>>; value: Buffer }) => ({ ...chunk, offset: BigInt(offset) });

describe('split and Joiner', () => {
  it('gives back what went in, for every size', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 300 }), fc.integer({ min: 1, max: 310 }), (data, maxBytes) => {
        const bytes = Buffer.from(data);
        const chunks = split('s:0', bytes, maxBytes);
        expect(chunks.every((chunk) => chunk.value.length <= maxBytes)).toBe(true);
        const joiner = new Joiner();
        const out = chunks.map((chunk, index) => joiner.push(at(7 + index, chunk)));
        expect(out.slice(0, -1).every((value) => value === undefined)).toBe(true);
        expect(out.at(-1)).toEqual({ bytes, firstOffset: 7n });
        expect(joiner.pending).toEqual([]);
      }),
    );
  });

  it('keeps interleaved events apart', () => {
    const joiner = new Joiner();
    const [a0, a1] = split('a:0', Buffer.from('aaAA'), 2);
    const [b0, b1] = split('b:0', Buffer.from('bbBB'), 2);
    expect(joiner.push(at(0, a0!))).toBeUndefined();
    expect(joiner.push(at(1, b0!))).toBeUndefined();
    expect(joiner.pending).toEqual(['a:0', 'b:0']);
    expect(joiner.push(at(2, a1!))?.bytes.toString()).toBe('aaAA');
    expect(joiner.push(at(3, b1!))).toEqual({ bytes: Buffer.from('bbBB'), firstOffset: 1n });
  });

  it('lets a writer start over, and skips what comes twice', () => {
    const joiner = new Joiner();
    const [c0, c1, c2] = split('a:0', Buffer.from('abc'), 1);
    for (const [offset, chunk] of [c0, c1, c0, c1, c1].entries()) expect(joiner.push(at(offset, chunk!))).toBeUndefined();
    expect(joiner.push(at(5, c2!))).toEqual({ bytes: Buffer.from('abc'), firstOffset: 2n });
  });

  it('P6: finds a missing chunk', () => {
    const [c0, , c2] = split('a:0', Buffer.from('abc'), 1);
    const joiner = new Joiner();
    joiner.push(at(0, c0!));
    expect(() => joiner.push(at(1, c2!))).toThrow(expect.objectContaining({ code: 'EVENT_CHUNK_GAP' }));
    expect(() => new Joiner().push(at(0, c2!))).toThrow(expect.objectContaining({ code: 'EVENT_CHUNK_GAP' }));
  });

  it('P9: holds no more than its limits', () => {
    const chunks = split('a:0', Buffer.from('abcd'), 1);
    const small = new Joiner({ ...JOINER_LIMITS, joinedEventMaxBytes: 3 });
    chunks.slice(0, 3).forEach((chunk, index) => small.push(at(index, chunk)));
    expect(() => small.push(at(3, chunks[3]!))).toThrow(expect.objectContaining({ code: 'EVENT_CHUNK_LIMIT' }));
    expect(small.pending).toEqual([]);
    const shared = new Joiner({ ...JOINER_LIMITS, pendingMaxBytes: 2 });
    ['a', 'b'].forEach((id, index) => shared.push(at(index, split(id, Buffer.from('xyz'), 1)[0]!)));
    expect(() => shared.push(at(2, split('c', Buffer.from('xyz'), 1)[0]!))).toThrow(expect.objectContaining({ code: 'EVENT_CHUNK_LIMIT' }));
    expect(shared.pending).toEqual(['a', 'b']);
    const steady = new Joiner({ ...JOINER_LIMITS, pendingMaxBytes: 3 });
    for (let round = 0; round < 5; round += 1) {
      const done = split(`e-${round}`, Buffer.from('xyz'), 1).map((chunk, index) => steady.push(at(index, chunk)));
      expect(done.at(-1)?.bytes.toString()).toBe('xyz');
    }
    const few = new Joiner({ ...JOINER_LIMITS, pendingMaxEvents: 1 });
    few.push(at(0, chunks[0]!));
    expect(() => few.push(at(1, split('b', Buffer.from('xyz'), 1)[0]!))).toThrow(expect.objectContaining({ code: 'EVENT_CHUNK_LIMIT' }));
  });

  it('P9: keeps the bytes of a chunk, and not what they came with', () => {
    const joiner = new Joiner();
    const fetched = Buffer.from('a, and a mebibyte of others');
    joiner.push(at(0, { headers: { event: 'e', chunk: '0', chunks: '2' }, value: fetched.subarray(0, 1) }));
    fetched.fill('x');
    expect(joiner.push(at(1, { headers: { event: 'e', chunk: '1', chunks: '2' }, value: Buffer.from('b') }))?.bytes.toString()).toBe('ab');
    // Of twelve partitions, for the store and for checkpoints.
    expect(JOINER_LIMITS.pendingMaxBytes * 24).toBeLessThan(512 * 2 ** 20);
  });

  it.each([
    { chunk: '0' },
    { chunk: '0', chunks: '2' },
    { event: 'a', chunk: '2', chunks: '2' },
    { event: 'a', chunk: '-1', chunks: '2' },
    { event: 'a', chunk: '0', chunks: '1' },
    { event: 'a', chunk: '0', chunks: '99999999' },
  ])('refuses the headers %j', (headers) => {
    expect(() => new Joiner().push(at(0, { headers, value: Buffer.from('a') }))).toThrow(
      expect.objectContaining({ code: 'EVENT_CHUNK_MALFORMED' }),
    );
  });
});
