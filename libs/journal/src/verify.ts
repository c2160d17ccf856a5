import fs from 'node:fs/promises';
import { listSegments } from './disk.js';
import { decodeRecord, decodeSegmentHeader, type JournalRecord } from './frame.js';
import { readCleanMark } from './recover.js';
import { scanSegment } from './scan.js';

export interface FoundRecord {
  readonly kind: 'record';
  readonly file: string;
  /** Of the frame, in bytes from the start of the file. */
  readonly position: number;
  readonly record: JournalRecord;
}

/** What is wrong, and where. The record at `offset` (and any more up to the next that is found) doesn't read back. */
export interface FoundDamage {
  /** `torn`: what a crash leaves behind the last synced record. `corrupt`: no crash does that. */
  readonly kind: 'torn' | 'corrupt';
  readonly file: string;
  readonly position: number;
  readonly bytes: number;
  readonly offset: bigint;
  readonly reason: string;
}

/**
 * Reads a journal, or a copy of one, without changing or locking anything, and goes on behind damage.
 * Holds one segment in memory at a time.
 */
export async function* inspectJournal(directory: string): AsyncGenerator<FoundRecord | FoundDamage, void, undefined> {
  const cleanEnd = await readCleanMark(directory);
  const files = await listSegments(directory);
  let expected: number | undefined;
  for (const [at, { base, file, path }] of files.entries()) {
    const last = at === files.length - 1;
    const bytes = await fs.readFile(path);
    const header = decodeSegmentHeader(bytes);
    if (!header || header.base !== base) {
      yield { kind: 'corrupt', file, position: 0, bytes: bytes.length, offset: BigInt(base), reason: 'the segment header is damaged' };
      expected = undefined;
      continue;
    }
    if (expected !== undefined && header.previousEnd !== expected) {
      yield {
        kind: 'corrupt',
        file,
        position: 0,
        bytes: 0,
        offset: BigInt(expected),
        reason: `records up to offset ${header.previousEnd} are missing before this file`,
      };
    }
    expected = base;
    let endsInDamage = false;
    for (const found of scanSegment(bytes, header)) {
      if (found.kind === 'frame') {
        expected = found.head.offset + 1;
        yield { kind: 'record', file, position: found.position, record: decodeRecord(bytes, found.position, found.head) };
        continue;
      }
      endsInDamage = found.until === bytes.length;
      const torn = found.verdict === 'torn' && last && cleanEnd === undefined;
      const reason = torn ? 'an unfinished write' : 'a record that was on disk is damaged';
      yield {
        kind: torn ? 'torn' : 'corrupt',
        file,
        position: found.position,
        bytes: found.until - found.position,
        offset: BigInt(found.offset),
        reason,
      };
    }
    if (last && !endsInDamage && cleanEnd !== undefined && expected !== cleanEnd) {
      yield {
        kind: 'corrupt',
        file,
        position: bytes.length,
        bytes: 0,
        offset: BigInt(expected),
        reason: `records up to offset ${cleanEnd} are missing at the end`,
      };
    }
  }
}
