export type BusErrorCode =
  | 'BUS_CLOSED'
  /** No topic of that name. */
  | 'BUS_TOPIC'
  /** No partition of that number. */
  | 'BUS_PARTITION'
  | 'BUS_OFFSET_OUT_OF_RANGE'
  | 'BUS_RECORD_TOO_LARGE'
  /** The log is at its limit. Nothing was taken. */
  | 'BUS_FULL'
  /** The log could not be written: the record is not on it. */
  | 'BUS_WRITE_FAILED'
  /** A record doesn't read back as it was written. */
  | 'BUS_CORRUPT'
  /** Somebody else holds the log. */
  | 'BUS_LOCKED'
  /** Too many calls are under way. */
  | 'BUS_BUSY'
  /** A commit without a group. */
  | 'BUS_NO_GROUP'
  /** Options that don't fit together. */
  | 'BUS_OPTION'
  | 'BUS_FAILED';

/** What is broken or refused on the bus. The message never holds a record's bytes. */
export class BusError extends Error {
  override readonly name = 'BusError';

  constructor(
    readonly code: BusErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
