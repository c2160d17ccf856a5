import { WireError } from './wire-error.js';
import { FRAME_HEADER_BYTES } from './frame-header.js';

/**
 * A whole frame. The body is `bytes[start … end)`, and its header always lies right before it: the frame as sent is
 * `bytes[start − 5 … end)`. `bytes` is the chunk that was pushed when the frame was whole in it, so it lives only as long as
 * that chunk does; otherwise it is a buffer of its own.
 *
 * `false` stops `push` after this frame.
 */
export type OnFrame = (type: number, bytes: Buffer, start: number, end: number) => void | boolean;

/** Takes frames that needn't be held whole, such as a huge DataRow or CopyData. */
export interface FrameStream {
  /** Asked once a frame, at its header. True: its body comes in pieces, however small it is; false: whole, to `OnFrame`. */
  takes(type: number, bodyBytes: number): boolean;
  begin(type: number, bodyBytes: number): void;
  /** The next `bytes[start … end)` of the body; the frame is done when `left` is 0. Called once for an empty body too. */
  piece(bytes: Buffer, start: number, end: number, left: number): void | boolean;
}

export interface FrameScannerLimits {
  /** The largest frame that is held whole, header included. */
  readonly maxFrameBytes: number;
  /** The largest frame that is streamed, header included. Default 1 GiB, about the largest that PostgreSQL makes. */
  readonly maxStreamedFrameBytes?: number;
}

const DEFAULT_MAX_STREAMED_FRAME_BYTES = 0x4000_0000;
/** What is first set aside for a frame in pieces: a length alone, with nothing behind it, costs us no more. */
const FIRST_PART_BYTES = 8192;

/**
 * Cuts one direction of a connection, after its startup phase, into frames. Feed it chunks as they come.
 *
 * A frame that is whole in a chunk is reported where it lies; one that is split is put together in a buffer that grows with
 * what has come, never ahead to what its length promises. The length is checked before either.
 *
 * Errors ({@link WireError}): `WIRE_FRAME_LENGTH` (length under 4), `WIRE_FRAME_TOO_LARGE`. After one the scanner is of no use:
 * where the next frame begins isn't known, and each further push throws it again.
 */
export class FrameScanner {
  private readonly maxFrameBytes: number;
  private readonly maxStreamedFrameBytes: number;
  /** A header cut by the end of a chunk. */
  private readonly header = Buffer.alloc(FRAME_HEADER_BYTES);
  private headerBytes = 0;
  /** The frame being put together, header included, or null. */
  private part: Buffer | null = null;
  private partBytes = 0;
  private partTotal = 0;
  /** Of the body being streamed; −1 when none is. */
  private streamLeft = -1;
  private failure: WireError | null = null;

  constructor(
    limits: FrameScannerLimits,
    private readonly stream: FrameStream | null = null,
  ) {
    this.maxFrameBytes = limits.maxFrameBytes;
    this.maxStreamedFrameBytes = limits.maxStreamedFrameBytes ?? DEFAULT_MAX_STREAMED_FRAME_BYTES;
  }

  /** Whether the bytes so far end where a frame ends. A peer that hangs up when this is false broke off in a message. */
  get atBoundary(): boolean {
    return this.headerBytes === 0 && this.part === null && this.streamLeft === -1;
  }

  /** Bytes held back for frames that aren't whole yet. */
  get heldBytes(): number {
    return this.part === null ? this.headerBytes : this.partBytes;
  }

  /**
   * Scans `chunk[from … )` and reports each frame that becomes whole. Returns the offset behind what was used up: the chunk's
   * length, or less when a callback returned false, and then the rest is to be pushed again, from there.
   */
  push(chunk: Buffer, onFrame: OnFrame, from = 0): number {
    if (this.failure !== null) throw this.failure;
    const size = chunk.length;
    let at = from;
    while (at < size) {
      if (this.streamLeft !== -1) {
        const end = Math.min(size, at + this.streamLeft);
        const go = this.deliverPiece(chunk, at, end);
        at = end;
        if (!go) return at;
        continue;
      }
      if (this.part !== null) {
        const end = Math.min(size, at + this.partTotal - this.partBytes);
        this.hold(chunk, at, end);
        at = end;
        if (this.partBytes === this.partTotal && !this.deliverPart(onFrame)) return at;
        continue;
      }
      if (this.headerBytes === 0 && size - at >= FRAME_HEADER_BYTES) {
        const type = chunk[at]!;
        const total = this.checked(type, chunk.readInt32BE(at + 1));
        const start = at + FRAME_HEADER_BYTES;
        if (total < 0) {
          at = start;
          if (!this.beginStream(type, -total, chunk)) return at;
        } else if (at + total <= size) {
          at += total;
          if (onFrame(type, chunk, start, at) === false) return at;
        } else {
          this.beginPart(total);
          this.hold(chunk, at, size);
          at = size;
        }
        continue;
      }
      const end = Math.min(size, at + FRAME_HEADER_BYTES - this.headerBytes);
      chunk.copy(this.header, this.headerBytes, at, end);
      this.headerBytes += end - at;
      at = end;
      if (this.headerBytes === FRAME_HEADER_BYTES && !this.headerDone(onFrame)) return at;
    }
    return at;
  }

  /** The whole frame's bytes, header included; negative when it is to be streamed. */
  private checked(type: number, length: number): number {
    if (length < 4) throw this.fail('WIRE_FRAME_LENGTH', 'a frame length under 4');
    const total = length + 1;
    if (this.stream !== null && total <= this.maxStreamedFrameBytes && this.stream.takes(type, total - FRAME_HEADER_BYTES)) return -total;
    if (total > this.maxFrameBytes) throw this.fail('WIRE_FRAME_TOO_LARGE', `a frame over ${this.maxFrameBytes} bytes`);
    return total;
  }

  private headerDone(onFrame: OnFrame): boolean {
    const type = this.header[0]!;
    const total = this.checked(type, this.header.readInt32BE(1));
    this.headerBytes = 0;
    if (total < 0) return this.beginStream(type, -total, this.header);
    this.beginPart(total);
    this.hold(this.header, 0, FRAME_HEADER_BYTES);
    return this.partBytes < this.partTotal || this.deliverPart(onFrame);
  }

  private beginStream(type: number, total: number, empty: Buffer): boolean {
    this.streamLeft = total - FRAME_HEADER_BYTES;
    this.stream!.begin(type, this.streamLeft);
    return this.streamLeft > 0 || this.deliverPiece(empty, 0, 0);
  }

  private deliverPiece(bytes: Buffer, start: number, end: number): boolean {
    const left = this.streamLeft - (end - start);
    this.streamLeft = left === 0 ? -1 : left;
    return this.stream!.piece(bytes, start, end, left) !== false;
  }

  private beginPart(total: number): void {
    this.part = Buffer.allocUnsafe(Math.min(total, FIRST_PART_BYTES));
    this.partBytes = 0;
    this.partTotal = total;
  }

  private hold(bytes: Buffer, start: number, end: number): void {
    const needed = this.partBytes + end - start;
    let part = this.part!;
    if (needed > part.length) {
      const larger = Buffer.allocUnsafe(Math.min(this.partTotal, Math.max(needed, part.length * 2)));
      part.copy(larger, 0, 0, this.partBytes);
      this.part = part = larger;
    }
    bytes.copy(part, this.partBytes, start, end);
    this.partBytes = needed;
  }

  private deliverPart(onFrame: OnFrame): boolean {
    const part = this.part!;
    this.part = null;
    return onFrame(part[0]!, part, FRAME_HEADER_BYTES, this.partTotal) !== false;
  }

  private fail(code: 'WIRE_FRAME_LENGTH' | 'WIRE_FRAME_TOO_LARGE', message: string): WireError {
    this.failure = new WireError(code, message);
    return this.failure;
  }
}
