export type JournalErrorCode =
  /** Bytes, age or pending memory are at their limit. */
  | 'JOURNAL_FULL'
  /** The disk refused a write or a sync. What was waiting is lost and never comes back; appends are refused until the disk takes writes again. */
  | 'JOURNAL_WRITE_FAILED'
  /** Another opener, living, holds the directory. */
  | 'JOURNAL_LOCKED'
  /** A record that had been on disk no longer reads back: disk rot or tampering. */
  | 'JOURNAL_CORRUPT'
  | 'JOURNAL_RECORD_TOO_LARGE'
  /** The offset lies before the oldest segment. */
  | 'JOURNAL_FORGOTTEN'
  /** The offset has not been given out yet. */
  | 'JOURNAL_OFFSET'
  | 'JOURNAL_TOO_MANY_WAITS'
  | 'JOURNAL_CLOSED'
  | 'JOURNAL_OPTION';

/** Where in the directory the trouble is. */
export interface JournalPlace {
  readonly file?: string;
  /** Bytes from the start of the file. */
  readonly position?: number;
  readonly offset?: bigint;
}

/** What is broken, full or refused. The message never holds a record's bytes. */
export class JournalError extends Error {
  override readonly name = 'JournalError';
  readonly file: string | undefined;
  readonly position: number | undefined;
  readonly offset: bigint | undefined;

  constructor(
    readonly code: JournalErrorCode,
    message: string,
    options: { readonly cause?: unknown } & JournalPlace = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.file = options.file;
    this.position = options.position;
    this.offset = options.offset;
  }
}
