export { crc32c } from './crc32c.js';
export { type Disk, realDisk } from './disk.js';
export { FRAME_BYTES, type JournalEntry, type JournalRecord } from './frame.js';
export {
  type AppendOptions,
  type FailureNotice,
  type FollowOptions,
  Journal,
  type JournalDurability,
  type JournalRecovered,
  openJournal,
  type ReadOptions,
} from './journal.js';
export { JournalError, type JournalErrorCode } from './journal-error.js';
export { JOURNAL_LIMITS, type JournalLimits, type JournalOptions } from './options.js';
export type { CutTail } from './recover.js';
export { type FoundDamage, type FoundRecord, inspectJournal } from './verify.js';
