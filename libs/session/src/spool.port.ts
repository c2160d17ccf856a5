import type { SessionEventType } from '@sallyport/events';

/** The record is not on the bus within its time. */
export class RecordLate extends Error {
  readonly code = 'RECORD_LATE';
}

/** How sure a record must be before the operation behind it may take effect (P1). */
export type Durability = 'process' | 'disk' | 'replicated';

/**
 * What becomes of operations while the bus takes nothing: `strict` ones are refused when the record is too far behind, `buffered`
 * ones go on as long as the spool has room.
 */
export type AuditMode = 'strict' | 'buffered';

/** How a session's record is kept. */
export interface Audit {
  readonly mode: AuditMode;
  readonly durability: Durability;
}

/** One event of a session's stream on its way to the log. */
export interface SpoolEntry {
  readonly session: string;
  readonly type: SessionEventType;
  /** Set for events about one operation. */
  readonly operation?: number;
  /** The event as written: these bytes are the record. */
  readonly bytes: Uint8Array;
  /**
   * An `outcome` (how something that is on record went on and ended) may use the reserve that an `intent` may not, so that
   * what was begun can always be told to its end.
   */
  readonly purpose: 'intent' | 'outcome';
  /** What an intent has to reach before its operation goes on: the log need do no more for it. Default `disk`. */
  readonly durability?: Durability;
  /** Default `strict`. */
  readonly mode?: AuditMode;
}

/**
 * Where the record goes first. Appending is synchronous, waiting isn't, so that reads overlap with their record.
 * Offsets grow with every append of the same edge.
 */
export interface Spool {
  /** @throws an error with a `code` (full, failed, too large) when it can't be taken; then nothing was taken. */
  append(entry: SpoolEntry): bigint;
  isDurable(offset: bigint, durability: Durability): boolean;
  /**
   * Rejects when the record is lost: the session can't go on. Rejects with {@link RecordLate} when the bus takes too long: the record is
   * kept and comes later, and what waits for it is not done.
   */
  durable(offset: bigint, durability: Durability): Promise<void>;
}
