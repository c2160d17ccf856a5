import { crc32c } from './crc32c.js';

/** What an owner appends. */
export interface JournalEntry {
  readonly key?: string | null;
  /** Stored as it is. */
  readonly value: Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
  /** Milliseconds since the epoch; now when absent. */
  readonly timestampMs?: number;
}

export interface JournalRecord {
  readonly offset: bigint;
  readonly timestampMs: number;
  readonly key: string | null;
  readonly headers: Readonly<Record<string, string>>;
  readonly value: Buffer;
}

/** Bytes in front of a record's key, headers and value (FORMAT.md). */
export const FRAME_BYTES = 40;
export const KEY_MAX_BYTES = 0xfffe;
export const HEADERS_MAX_BYTES = 0xffff;
const NO_KEY = 0xffff;
const HIGH = 2 ** 32;
const NO_HEADERS: Readonly<Record<string, string>> = Object.freeze({});

/** An entry with its parts measured, so that limits are checked before anything is taken. */
export interface Measured {
  readonly entry: JournalEntry;
  readonly keyBytes: number;
  readonly headers: Buffer | null;
  readonly bytes: number;
}

export function measure(entry: JournalEntry): Measured {
  const keyBytes = typeof entry.key === 'string' ? Buffer.byteLength(entry.key) : 0;
  const headers = entry.headers && Object.keys(entry.headers).length > 0 ? Buffer.from(JSON.stringify(entry.headers)) : null;
  return { entry, keyBytes, headers, bytes: FRAME_BYTES + keyBytes + (headers?.length ?? 0) + entry.value.length };
}

function writeU64(target: Buffer, value: number, at: number): void {
  target.writeUInt32BE(Math.floor(value / HIGH), at);
  target.writeUInt32BE(value % HIGH, at + 4);
}

function readU64(source: Buffer, at: number): number {
  return source.readUInt32BE(at) * HIGH + source.readUInt32BE(at + 4);
}

export interface FrameFields {
  /** The segment's own mark: a value that quotes a frame can't pass for one. */
  readonly mark: number;
  readonly offset: number;
  readonly timestampMs: number;
  /** Every offset below it was synced when this frame was made: tells a torn tail from a record that went bad. */
  readonly syncedBefore: number;
}

/** Writes frame, key, headers and value at `at`; `target` has room for `measured.bytes`. */
export function encodeFrame(target: Buffer, at: number, fields: FrameFields, measured: Measured): void {
  const { entry, keyBytes, headers } = measured;
  target.writeUInt32BE(fields.mark, at + 4);
  writeU64(target, fields.offset, at + 8);
  writeU64(target, fields.timestampMs, at + 16);
  writeU64(target, fields.syncedBefore, at + 24);
  target.writeUInt16BE(typeof entry.key === 'string' ? keyBytes : NO_KEY, at + 32);
  target.writeUInt16BE(headers?.length ?? 0, at + 34);
  target.writeUInt32BE(entry.value.length, at + 36);
  let body = at + FRAME_BYTES;
  if (keyBytes > 0) body += target.write(entry.key!, body);
  if (headers) body += headers.copy(target, body);
  target.set(entry.value, body);
  target.writeUInt32BE(crc32c(target, at + 4, at + measured.bytes), at);
}

/** A frame's fixed part, not yet checked against its checksum. */
export interface FrameHead extends FrameFields {
  readonly crc: number;
  readonly keyBytes: number;
  readonly hasKey: boolean;
  readonly headerBytes: number;
  readonly valueBytes: number;
  /** Of the whole record, the frame included. */
  readonly bytes: number;
}

/** Undefined when fewer than {@link FRAME_BYTES} are left. */
export function decodeHead(source: Buffer, at: number): FrameHead | undefined {
  if (at + FRAME_BYTES > source.length) return undefined;
  const keyField = source.readUInt16BE(at + 32);
  const hasKey = keyField !== NO_KEY;
  const keyBytes = hasKey ? keyField : 0;
  const headerBytes = source.readUInt16BE(at + 34);
  const valueBytes = source.readUInt32BE(at + 36);
  return {
    crc: source.readUInt32BE(at),
    mark: source.readUInt32BE(at + 4),
    offset: readU64(source, at + 8),
    timestampMs: readU64(source, at + 16),
    syncedBefore: readU64(source, at + 24),
    hasKey,
    keyBytes,
    headerBytes,
    valueBytes,
    bytes: FRAME_BYTES + keyBytes + headerBytes + valueBytes,
  };
}

/** True when the record is whole and its checksum holds. */
export function frameHolds(source: Buffer, at: number, head: FrameHead): boolean {
  return at + head.bytes <= source.length && crc32c(source, at + 4, at + head.bytes) === head.crc;
}

/** The record behind a frame that holds. `value` is a view into `source`. */
export function decodeRecord(source: Buffer, at: number, head: FrameHead): JournalRecord {
  const keyAt = at + FRAME_BYTES;
  const headersAt = keyAt + head.keyBytes;
  const valueAt = headersAt + head.headerBytes;
  return {
    offset: BigInt(head.offset),
    timestampMs: head.timestampMs,
    key: head.hasKey ? source.toString('utf8', keyAt, headersAt) : null,
    headers: head.headerBytes > 0 ? (JSON.parse(source.toString('utf8', headersAt, valueAt)) as Record<string, string>) : NO_HEADERS,
    value: source.subarray(valueAt, valueAt + head.valueBytes),
  };
}

/** What stands at the start of a segment file (FORMAT.md). */
export interface SegmentHeader {
  readonly mark: number;
  /** Of the first record. */
  readonly base: number;
  /** Where the segment before it ends. Less than `base` when the records between were lost to a failed write. */
  readonly previousEnd: number;
  readonly createdMs: number;
  /** The owner's own bytes: its state before the first record. */
  readonly head: Buffer;
}

export const SEGMENT_HEADER_BYTES = 48;
const SEGMENT_MAGIC = Buffer.from('SPJRNL1\n');

export function encodeSegmentHeader(header: SegmentHeader): Buffer {
  const bytes = Buffer.alloc(SEGMENT_HEADER_BYTES + header.head.length);
  SEGMENT_MAGIC.copy(bytes, 0);
  bytes.writeUInt32BE(header.mark, 12);
  writeU64(bytes, header.base, 16);
  writeU64(bytes, header.previousEnd, 24);
  writeU64(bytes, header.createdMs, 32);
  bytes.writeUInt32BE(header.head.length, 40);
  header.head.copy(bytes, SEGMENT_HEADER_BYTES);
  bytes.writeUInt32BE(crc32c(bytes, 12), 8);
  return bytes;
}

/** Undefined when it isn't whole or its checksum fails. */
export function decodeSegmentHeader(source: Buffer): SegmentHeader | undefined {
  if (source.length < SEGMENT_HEADER_BYTES || !source.subarray(0, 8).equals(SEGMENT_MAGIC)) return undefined;
  const end = SEGMENT_HEADER_BYTES + source.readUInt32BE(40);
  if (end > source.length || crc32c(source, 12, end) !== source.readUInt32BE(8)) return undefined;
  return {
    mark: source.readUInt32BE(12),
    base: readU64(source, 16),
    previousEnd: readU64(source, 24),
    createdMs: readU64(source, 32),
    head: Buffer.from(source.subarray(SEGMENT_HEADER_BYTES, end)),
  };
}

/** Of a segment header whose first {@link SEGMENT_HEADER_BYTES} bytes are in `source`. */
export function segmentHeaderLength(source: Buffer): number {
  return source.length < SEGMENT_HEADER_BYTES ? SEGMENT_HEADER_BYTES : SEGMENT_HEADER_BYTES + source.readUInt32BE(40);
}
