import { WireError } from './wire-error.js';
import { FRAME_HEADER_BYTES } from './frame-header.js';

const FIRST_CAPACITY = 64;
const MAX_COUNT = 0xffff;
const INT32_MAX = 0x7fff_ffff;

/**
 * Writes one frame; `finish` patches the length in. `type` 0: a startup packet, which has no type byte.
 *
 * Throws {@link WireError} `WIRE_VALUE_OUT_OF_RANGE` for what has no encoding.
 */
export class FrameWriter {
  private buffer = Buffer.allocUnsafe(FIRST_CAPACITY);
  private at: number;
  private readonly lengthAt: number;

  constructor(type: number) {
    this.lengthAt = type === 0 ? 0 : 1;
    if (type !== 0) this.buffer[0] = type;
    this.at = this.lengthAt + 4;
  }

  uint8(value: number): this {
    const at = this.grow(1);
    this.buffer.writeUInt8(inRange(value, 0, 0xff), at);
    return this;
  }

  int16(value: number): this {
    const at = this.grow(2);
    this.buffer.writeInt16BE(inRange(value, -0x8000, 0x7fff), at);
    return this;
  }

  int32(value: number): this {
    const at = this.grow(4);
    this.buffer.writeInt32BE(inRange(value, -0x8000_0000, INT32_MAX), at);
    return this;
  }

  uint32(value: number): this {
    const at = this.grow(4);
    this.buffer.writeUInt32BE(inRange(value, 0, 0xffff_ffff), at);
    return this;
  }

  count(value: number): this {
    const at = this.grow(2);
    this.buffer.writeUInt16BE(inRange(value, 0, MAX_COUNT), at);
    return this;
  }

  bytes(value: Uint8Array): this {
    const at = this.grow(value.length);
    this.buffer.set(value, at);
    return this;
  }

  value(value: Uint8Array | null): this {
    return value === null ? this.int32(-1) : this.int32(value.length).bytes(value);
  }

  cstring(value: string | Uint8Array): this {
    const bytes = typeof value === 'string' ? Buffer.from(value, 'utf8') : value;
    // A NUL inside would end the string early and turn its tail into other fields.
    if (bytes.includes(0)) throw new WireError('WIRE_VALUE_OUT_OF_RANGE', 'a string with a NUL inside');
    return this.bytes(bytes).uint8(0);
  }

  finish(): Buffer {
    this.buffer.writeInt32BE(this.at - this.lengthAt, this.lengthAt);
    return this.buffer.subarray(0, this.at);
  }

  private grow(length: number): number {
    const start = this.at;
    const needed = start + length;
    if (needed > INT32_MAX) throw new WireError('WIRE_VALUE_OUT_OF_RANGE', 'a frame over 2 GiB');
    if (needed > this.buffer.length) {
      const larger = Buffer.allocUnsafe(Math.max(needed, this.buffer.length * 2));
      this.buffer.copy(larger, 0, 0, start);
      this.buffer = larger;
    }
    this.at = needed;
    return start;
  }
}

function inRange(value: number, min: number, max: number): number {
  if (!Number.isInteger(value) || value < min || value > max) {
    throw new WireError('WIRE_VALUE_OUT_OF_RANGE', `a number outside ${min}…${max}`);
  }
  return value;
}

/** A message that is a header and nothing else. */
export function emptyFrame(type: number): Buffer {
  const frame = Buffer.allocUnsafe(FRAME_HEADER_BYTES);
  frame[0] = type;
  frame.writeInt32BE(4, 1);
  return frame;
}
