import { decodeHead, FRAME_BYTES, frameHolds, type FrameHead, type SegmentHeader, SEGMENT_HEADER_BYTES } from './frame.js';

export interface ScannedFrame {
  readonly kind: 'frame';
  readonly position: number;
  readonly head: FrameHead;
}

/** Bytes that are no record. */
export interface ScannedDamage {
  readonly kind: 'damage';
  readonly position: number;
  /** Where the next whole record begins, or the end of the file. */
  readonly until: number;
  /** Of the record that should be there. */
  readonly offset: number;
  /**
   * `torn`: nothing after it says that it had been synced, so it is what a crash leaves of the last write.
   * `corrupt`: a later record says that it had been.
   */
  readonly verdict: 'torn' | 'corrupt';
}

export type Scanned = ScannedFrame | ScannedDamage;

/** The records of one whole segment in order. Resynchronises behind damage by the segment's mark. */
export function* scanSegment(bytes: Buffer, header: SegmentHeader): Generator<Scanned, void, undefined> {
  let position = SEGMENT_HEADER_BYTES + header.head.length;
  let expected = header.base;
  while (position < bytes.length) {
    const head = decodeHead(bytes, position);
    if (head && head.mark === header.mark && head.offset === expected && frameHolds(bytes, position, head)) {
      yield { kind: 'frame', position, head };
      position += head.bytes;
      expected += 1;
      continue;
    }
    if (onlyZeros(bytes, position)) return;
    const next = nextFrame(bytes, position, header.mark, expected);
    yield {
      kind: 'damage',
      position,
      until: next?.position ?? bytes.length,
      offset: expected,
      verdict: next && wasSynced(bytes, next, header.mark, expected) ? 'corrupt' : 'torn',
    };
    if (!next) return;
    position = next.position;
    expected = next.head.offset;
  }
}

/** Where the first record begins. */
export function segmentStart(header: SegmentHeader): number {
  return SEGMENT_HEADER_BYTES + header.head.length;
}

function nextFrame(bytes: Buffer, from: number, mark: number, expected: number): { position: number; head: FrameHead } | undefined {
  const pattern = Buffer.alloc(4);
  pattern.writeUInt32BE(mark);
  for (let at = bytes.indexOf(pattern, from + 4); at >= 0; at = bytes.indexOf(pattern, at + 1)) {
    const position = at - 4;
    const head = decodeHead(bytes, position);
    if (head && head.offset >= expected && frameHolds(bytes, position, head)) return { position, head };
  }
  return undefined;
}

/** True when any whole record from `next` on was made after offset `lost` had been synced. */
function wasSynced(bytes: Buffer, next: { position: number; head: FrameHead }, mark: number, lost: number): boolean {
  for (
    let frame: typeof next | undefined = next;
    frame;
    frame = nextFrame(bytes, frame.position + FRAME_BYTES, mark, frame.head.offset + 1)
  ) {
    if (frame.head.syncedBefore > lost) return true;
  }
  return false;
}

const ZEROS = Buffer.alloc(64 * 1024);

function onlyZeros(bytes: Buffer, from: number): boolean {
  for (let at = from; at < bytes.length; at += ZEROS.length) {
    const part = bytes.subarray(at, at + ZEROS.length);
    if (!part.equals(ZEROS.subarray(0, part.length))) return false;
  }
  return true;
}
