import fs from 'node:fs/promises';
import type { Disk } from './disk.js';
import { decodeHead, decodeRecord, FRAME_BYTES, frameHolds, type JournalRecord } from './frame.js';
import { JournalError } from './journal-error.js';
import type { Segment } from './segments.js';
import { SparseIndex } from './sparse-index.js';

const WINDOW_BYTES = 64 * 1024;

export interface ReadBounds {
  readonly maxRecords: number;
  readonly maxBytes: number;
  /** No record at or behind it. */
  readonly before: number;
}

export interface Place {
  readonly position: number;
  readonly timestampMs: number;
}

/**
 * Records of one segment from `from` on, each checked. At least one when there is one, even if it alone is larger than `maxBytes`.
 * Throws `JOURNAL_CORRUPT` at the first that doesn't hold.
 */
export async function readSegment(segment: Segment, from: number, bounds: ReadBounds, disk: Disk): Promise<JournalRecord[]> {
  const records: JournalRecord[] = [];
  let bytes = 0;
  for await (const { record, size } of walk(segment, from, bounds, disk)) {
    if (records.length > 0 && bytes + size > bounds.maxBytes) break;
    records.push(record);
    bytes += size;
    if (records.length >= bounds.maxRecords || bytes >= bounds.maxBytes) break;
  }
  return records;
}

/** Where a record stands in its segment's file. */
export async function locate(segment: Segment, offset: number, disk: Disk): Promise<Place | undefined> {
  for await (const { position, record } of walk(segment, offset, { maxRecords: 1, maxBytes: 0, before: offset + 1 }, disk)) {
    return { position, timestampMs: record.timestampMs };
  }
  return undefined;
}

async function* walk(
  segment: Segment,
  from: number,
  bounds: ReadBounds,
  disk: Disk,
): AsyncGenerator<{ record: JournalRecord; position: number; size: number }> {
  const before = Math.min(bounds.before, segment.end);
  if (from >= before) return;
  segment.index ??= await buildIndex(segment);
  const end = segment.endPosition;
  const window = Math.min(bounds.maxBytes, 2 ** 24) + WINDOW_BYTES;
  const point = segment.index.floor(from) ?? { offset: segment.base, position: segment.start };
  const file = await fs.open(segment.path, 'r');
  try {
    let start = point.position;
    let buffer = await disk.read(file.fd, Math.min(window, end - start), start);
    let at = 0;
    for (let offset = point.offset; offset < before; offset++) {
      let head = decodeHead(buffer, at);
      if (!head || at + head.bytes > buffer.length) {
        start += at;
        at = 0;
        const wanted = Math.min(Math.max(head?.bytes ?? FRAME_BYTES, window), end - start);
        buffer = await disk.read(file.fd, Math.max(wanted, 0), start);
        head = decodeHead(buffer, 0);
      }
      const whole = head && head.mark === segment.mark && head.offset === offset && at + head.bytes <= buffer.length;
      if (!head || !whole || (offset >= from && !frameHolds(buffer, at, head))) throw damaged(segment, start + at, offset);
      if (offset >= from) yield { record: decodeRecord(buffer, at, head), position: start + at, size: head.bytes };
      at += head.bytes;
    }
  } finally {
    await file.close();
  }
}

/** For a segment that was not scanned on opening. Follows lengths only: each record is checked when it is read. */
async function buildIndex(segment: Segment): Promise<SparseIndex> {
  const bytes = await fs.readFile(segment.path);
  const index = new SparseIndex();
  let position = segment.start;
  for (let offset = segment.base; offset < segment.end; offset++) {
    const head = decodeHead(bytes, position);
    // Behind damage nothing is indexed: a read comes from before it, and reports it.
    if (!head || head.mark !== segment.mark || head.offset !== offset) break;
    index.add(offset, position, head.timestampMs);
    position += head.bytes;
  }
  return index;
}

function damaged(segment: Segment, position: number, offset: number): JournalError {
  const message = `${segment.file} at byte ${position} (offset ${offset}): a record that was on disk is damaged`;
  return new JournalError('JOURNAL_CORRUPT', message, { file: segment.file, position, offset: BigInt(offset) });
}
