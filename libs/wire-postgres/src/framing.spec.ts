import * as fc from 'fast-check';

import { frameHeader } from './frame-header.js';
import { FrameScanner, type FrameStream } from './framing.js';

const MAX = 1024;

interface Seen {
  readonly type: number;
  readonly body: string;
}

const frame = (type: number, body: Uint8Array): Buffer => Buffer.concat([frameHeader(type, body.length), body]);

const anyFrame = fc.record({ type: fc.integer({ min: 1, max: 255 }), body: fc.uint8Array({ maxLength: 40 }) });

/** Cuts bytes at the given places, which may fall together. */
function chunksOf(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const at = [0, ...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length].sort((a, b) => a - b);
  return at.slice(1).map((end, i) => Buffer.from(bytes.subarray(at[i], end)));
}

function scan(scanner: FrameScanner, chunks: readonly Buffer[]): Seen[] {
  const seen: Seen[] = [];
  for (const chunk of chunks) {
    scanner.push(chunk, (type, bytes, start, end) => {
      seen.push({ type, body: bytes.toString('hex', start, end) });
      expect(bytes[start - 5]).toBe(type);
      expect(bytes.readInt32BE(start - 4)).toBe(end - start + 4);
    });
  }
  return seen;
}

/** Puts streamed bodies together again, beside the frames that came whole. */
class Collector implements FrameStream {
  readonly seen: Seen[] = [];
  private pieces: Buffer[] = [];
  private type = 0;

  constructor(private readonly from: number) {}

  takes(_type: number, bodyBytes: number): boolean {
    return bodyBytes >= this.from;
  }

  begin(type: number, bodyBytes: number): void {
    this.type = type;
    this.pieces = [];
    expect(bodyBytes).toBeGreaterThanOrEqual(this.from);
  }

  piece(bytes: Buffer, start: number, end: number, left: number): void {
    this.pieces.push(Buffer.from(bytes.subarray(start, end)));
    if (left === 0) this.seen.push({ type: this.type, body: Buffer.concat(this.pieces).toString('hex') });
  }
}

describe('FrameScanner', () => {
  it('gives the same frames wherever the stream is cut', () => {
    fc.assert(
      fc.property(fc.array(anyFrame, { maxLength: 8 }), fc.array(fc.nat(), { maxLength: 12 }), (frames, cuts) => {
        const bytes = Buffer.concat(frames.map(({ type, body }) => frame(type, body)));
        const scanner = new FrameScanner({ maxFrameBytes: MAX });
        expect(scan(scanner, chunksOf(bytes, cuts))).toEqual(
          frames.map(({ type, body }) => ({ type, body: Buffer.from(body).toString('hex') })),
        );
        expect(scanner.atBoundary).toBe(true);
        expect(scanner.heldBytes).toBe(0);
      }),
    );
  });

  it('gives the same frames for every single cut, and byte by byte', () => {
    const bytes = Buffer.concat([
      frame(1, Buffer.alloc(0)),
      frame(2, Buffer.from('abc')),
      frame(3, Buffer.alloc(300, 7)),
      frame(4, Buffer.of(0)),
    ]);
    const whole = scan(new FrameScanner({ maxFrameBytes: MAX }), [bytes]);
    expect(whole.map(({ type }) => type)).toEqual([1, 2, 3, 4]);
    for (let cut = 0; cut <= bytes.length; cut += 1) {
      expect(scan(new FrameScanner({ maxFrameBytes: MAX }), [bytes.subarray(0, cut), bytes.subarray(cut)])).toEqual(whole);
    }
    expect(scan(new FrameScanner({ maxFrameBytes: MAX }), chunksOf(bytes, [...bytes.keys()]))).toEqual(whole);
  });

  it('streams the bodies that the caller takes, in order with the others', () => {
    fc.assert(
      fc.property(
        fc.array(anyFrame, { maxLength: 8 }),
        fc.array(fc.nat(), { maxLength: 12 }),
        fc.nat({ max: 41 }),
        (frames, cuts, from) => {
          const bytes = Buffer.concat(frames.map(({ type, body }) => frame(type, body)));
          const collector = new Collector(from);
          const scanner = new FrameScanner({ maxFrameBytes: MAX }, collector);
          for (const chunk of chunksOf(bytes, cuts)) {
            scanner.push(chunk, (type, buffer, start, end) => {
              collector.seen.push({ type, body: buffer.toString('hex', start, end) });
            });
          }
          expect(collector.seen).toEqual(frames.map(({ type, body }) => ({ type, body: Buffer.from(body).toString('hex') })));
          expect(scanner.atBoundary).toBe(true);
        },
      ),
    );
  });

  it('reports a frame that is whole in a chunk where it lies, without copying', () => {
    const chunk = Buffer.concat([frame(1, Buffer.from('one')), frame(2, Buffer.from('two'))]);
    const places: unknown[] = [];
    new FrameScanner({ maxFrameBytes: MAX }).push(chunk, (_type, bytes, start, end) => {
      places.push([bytes === chunk, start, end]);
    });
    expect(places).toEqual([
      [true, 5, 8],
      [true, 13, 16],
    ]);
  });

  it('stops when a callback says so, and goes on from there', () => {
    const bytes = Buffer.concat([frame(1, Buffer.from('a')), frame(2, Buffer.from('bb')), frame(3, Buffer.from('ccc'))]);
    for (let cut = 0; cut <= bytes.length; cut += 1) {
      const scanner = new FrameScanner({ maxFrameBytes: MAX });
      const types: number[] = [];
      for (const chunk of [bytes.subarray(0, cut), bytes.subarray(cut)]) {
        let at = 0;
        let rounds = 0;
        while (at < chunk.length) {
          at = scanner.push(chunk, (type) => types.push(type) < 0, at);
          expect((rounds += 1)).toBeLessThan(5);
        }
      }
      expect(types).toEqual([1, 2, 3]);
    }
    const stopping: FrameStream = { takes: () => true, begin: () => undefined, piece: () => false };
    const scanner = new FrameScanner({ maxFrameBytes: MAX }, stopping);
    expect(scanner.push(bytes, () => true)).toBe(6);
    expect(scanner.push(bytes, () => true, 6)).toBe(13);
  });

  it('P9: refuses a length over the limit at the header, having set nothing aside for it', () => {
    const header = frameHeader(0x44, MAX - 4);
    for (let cut = 0; cut < 5; cut += 1) {
      const scanner = new FrameScanner({ maxFrameBytes: MAX });
      scanner.push(header.subarray(0, cut), () => undefined);
      expect(() => scanner.push(header.subarray(cut), () => undefined)).toThrow(expect.objectContaining({ code: 'WIRE_FRAME_TOO_LARGE' }));
      expect(scanner.heldBytes).toBeLessThanOrEqual(5);
      expect(() => scanner.push(Buffer.of(1), () => undefined)).toThrow(expect.objectContaining({ code: 'WIRE_FRAME_TOO_LARGE' }));
    }
    const exact = frame(0x44, Buffer.alloc(MAX - 5));
    expect(scan(new FrameScanner({ maxFrameBytes: MAX }), [exact])).toHaveLength(1);
  });

  it.each([3, 0, -1, -0x8000_0000])('refuses the length %d', (length) => {
    const header = frameHeader(0x44, length - 4);
    for (const stream of [null, new Collector(0)]) {
      const scanner = new FrameScanner({ maxFrameBytes: MAX }, stream);
      expect(() => scanner.push(header, () => undefined)).toThrow(expect.objectContaining({ code: 'WIRE_FRAME_LENGTH' }));
    }
  });

  it('P9: holds a streamed frame to its own limit', () => {
    const scanner = new FrameScanner({ maxFrameBytes: 10, maxStreamedFrameBytes: MAX }, new Collector(0));
    scanner.push(frame(1, Buffer.alloc(MAX - 5)), () => undefined);
    expect(() => scanner.push(frameHeader(1, MAX - 4), () => undefined)).toThrow(expect.objectContaining({ code: 'WIRE_FRAME_TOO_LARGE' }));
  });

  it('P9: a promised length alone costs no memory', () => {
    const promised = 64 * 1024 * 1024;
    const scanners = Array.from({ length: 200 }, () => new FrameScanner({ maxFrameBytes: promised }));
    const before = process.memoryUsage().arrayBuffers;
    for (const scanner of scanners) scanner.push(Buffer.concat([frameHeader(0x44, promised - 5), Buffer.alloc(100)]), () => undefined);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(promised);
    expect(scanners[0]!.heldBytes).toBe(105);
  });

  it('P9: random bytes end in frames within the limit or in a coded error', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), fc.array(fc.nat(), { maxLength: 5 }), (bytes, cuts) => {
        const scanner = new FrameScanner({ maxFrameBytes: 64 });
        try {
          for (const chunk of chunksOf(Buffer.from(bytes), cuts)) {
            scanner.push(chunk, (_type, _bytes, start, end) => {
              expect(end - start + 5).toBeLessThanOrEqual(64);
            });
          }
        } catch (error) {
          expect(error).toMatchObject({ code: expect.stringMatching(/^WIRE_FRAME_/) });
        }
        expect(scanner.heldBytes).toBeLessThanOrEqual(64);
      }),
    );
  });
});
