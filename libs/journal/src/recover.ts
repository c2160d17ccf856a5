import fs from 'node:fs/promises';
import { join } from 'node:path';
import { type Disk, listSegments } from './disk.js';
import { decodeSegmentHeader, SEGMENT_HEADER_BYTES, type SegmentHeader, segmentHeaderLength } from './frame.js';
import { JournalError } from './journal-error.js';
import { scanSegment, segmentStart } from './scan.js';
import type { Segment } from './segments.js';
import { SparseIndex } from './sparse-index.js';

/** What was cut off the end on opening: the remains of a write that nobody was told had succeeded. */
export interface CutTail {
  readonly file: string;
  readonly position: number;
  readonly bytes: number;
}

export interface Recovered {
  readonly segments: Segment[];
  readonly cut: CutTail | undefined;
}

export const SPARE_FILE = 'spare.segment.new';
const CLEAN_FILE = 'clean';

/**
 * Reads the segments back and cuts a torn tail. Throws `JOURNAL_CORRUPT` when something is wrong that no crash can have done.
 */
export async function recoverSegments(directory: string, scan: 'all' | 'tail', disk: Disk): Promise<Recovered> {
  await fs.rm(join(directory, SPARE_FILE), { force: true });
  const cleanEnd = await readCleanMark(directory);
  const files = await listSegments(directory);
  const segments: Segment[] = [];
  let cut: CutTail | undefined;
  for (const [at, { base, file, path }] of files.entries()) {
    const last = at === files.length - 1;
    const before = segments.at(-1);
    const bytesBefore = before ? before.bytesBefore + before.endPosition - before.start : 0;
    const whole = last || scan === 'all';
    const bytes = whole ? await fs.readFile(path) : await readHeader(path);
    const header = decodeSegmentHeader(bytes);
    if (!header || header.base !== base) throw corrupt(file, 0, base, 'the segment header is damaged');
    if (before && header.previousEnd !== before.end)
      throw corrupt(file, 0, before.end, `offsets ${before.end} to ${header.previousEnd} are missing before it`);
    const segment: Segment = {
      base,
      path,
      file,
      mark: header.mark,
      previousEnd: header.previousEnd,
      head: header.head,
      start: segmentStart(header),
      bytesBefore,
      end: base,
      endPosition: segmentStart(header),
      index: undefined,
    };
    if (whole) cut = scanInto(segment, bytes, header, last && cleanEnd === undefined) ?? cut;
    else await trustSealed(segment, files[at + 1]!.path);
    segments.push(segment);
  }
  const tail = segments.at(-1);
  if (cleanEnd !== undefined && cleanEnd !== (tail?.end ?? 0)) {
    throw corrupt(tail?.file ?? '', tail?.endPosition ?? 0, tail?.end ?? 0, `it was closed at offset ${cleanEnd} and now ends elsewhere`);
  }
  if (tail && cut) await cutTail(tail, disk);
  return { segments, cut };
}

/** Fills in where the segment ends. Damage is a torn tail when it may be, and an error when not. */
function scanInto(segment: Segment, bytes: Buffer, header: SegmentHeader, mayBeTorn: boolean): CutTail | undefined {
  segment.index = new SparseIndex();
  for (const found of scanSegment(bytes, header)) {
    if (found.kind === 'damage') {
      if (found.verdict === 'corrupt' || !mayBeTorn)
        throw corrupt(segment.file, found.position, found.offset, 'a record that was on disk is damaged');
      return { file: segment.file, position: found.position, bytes: bytes.length - found.position };
    }
    segment.index.add(found.head.offset, found.position, found.head.timestampMs);
    segment.end = found.head.offset + 1;
    segment.endPosition = found.position + found.head.bytes;
  }
  return undefined;
}

/** A sealed segment is as long as its records, and the next one says where they end. */
async function trustSealed(segment: Segment, nextPath: string): Promise<void> {
  segment.endPosition = (await fs.stat(segment.path)).size;
  segment.end = decodeSegmentHeader(await readHeader(nextPath))?.previousEnd ?? segment.base;
}

async function readHeader(path: string): Promise<Buffer> {
  const file = await fs.open(path);
  try {
    const fixed = Buffer.alloc(SEGMENT_HEADER_BYTES);
    const { bytesRead } = await file.read(fixed, 0, fixed.length, 0);
    const { size } = await file.stat();
    const whole = Buffer.alloc(Math.min(segmentHeaderLength(fixed.subarray(0, bytesRead)), size));
    const read = await file.read(whole, 0, whole.length, 0);
    return whole.subarray(0, read.bytesRead);
  } finally {
    await file.close();
  }
}

async function cutTail(tail: Segment, disk: Disk): Promise<void> {
  const file = await fs.open(tail.path, 'r+');
  try {
    await disk.truncate(file.fd, tail.endPosition);
    await disk.sync(file.fd);
  } finally {
    await file.close();
  }
}

/** Says that everything is on disk, and where it ends: on the next opening nothing can be torn. */
export async function leaveCleanMark(directory: string, end: number): Promise<void> {
  const path = join(directory, CLEAN_FILE);
  const file = await fs.open(path, 'w', 0o600);
  try {
    await file.writeFile(`${end}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
}

export async function readCleanMark(directory: string): Promise<number | undefined> {
  try {
    const text = await fs.readFile(join(directory, CLEAN_FILE), 'utf8');
    return /^\d{1,16}\n$/.test(text) ? Number(text) : undefined;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Before the first write: from now on the end may be torn. */
export async function dropCleanMark(directory: string, disk: Disk): Promise<void> {
  await disk.unlink(join(directory, CLEAN_FILE));
  await disk.syncDirectory(directory);
}

function corrupt(file: string, position: number, offset: number, what: string): JournalError {
  return new JournalError('JOURNAL_CORRUPT', `${file} at byte ${position} (offset ${offset}): ${what}`, {
    file,
    position,
    offset: BigInt(offset),
  });
}
