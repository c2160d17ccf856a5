import { BusError, type BusErrorCode, type BusRecord, type OutgoingRecord } from '@sallyport/bus';
import { type Journal, JournalError, type JournalErrorCode } from '@sallyport/journal';
import type { PartitionLog } from './partition-log.js';

/** A partition whose records are synced before `append` resolves, and read only when they are. */
export class JournalPartition implements PartitionLog {
  readonly survivesRestart = true;
  constructor(
    readonly topic: string,
    readonly partition: number,
    private readonly journal: Journal,
  ) {}

  get first(): bigint {
    return this.journal.firstOffset;
  }

  get next(): bigint {
    return this.journal.syncedOffset + 1n;
  }

  async append(records: readonly OutgoingRecord[]): Promise<bigint> {
    try {
      const last = this.journal.append(records);
      await this.journal.synced(last);
      return last - BigInt(records.length - 1);
    } catch (error) {
      throw asBusError(error);
    }
  }

  async read(from: bigint, maxRecords: number, maxBytes: number): Promise<readonly BusRecord[]> {
    try {
      const records = await this.journal.read(from, { maxRecords, maxBytes });
      return records.map((record) => ({ topic: this.topic, partition: this.partition, ...record }));
    } catch (error) {
      throw asBusError(error);
    }
  }

  onMore(listener: () => void): () => void {
    return this.journal.onDurable(listener);
  }

  close(): Promise<void> {
    return this.journal.close();
  }
}

const CODES: Partial<Record<JournalErrorCode, BusErrorCode>> = {
  JOURNAL_FULL: 'BUS_FULL',
  JOURNAL_TOO_MANY_WAITS: 'BUS_BUSY',
  JOURNAL_WRITE_FAILED: 'BUS_WRITE_FAILED',
  JOURNAL_RECORD_TOO_LARGE: 'BUS_RECORD_TOO_LARGE',
  JOURNAL_CORRUPT: 'BUS_CORRUPT',
  JOURNAL_LOCKED: 'BUS_LOCKED',
  JOURNAL_CLOSED: 'BUS_CLOSED',
  JOURNAL_FORGOTTEN: 'BUS_OFFSET_OUT_OF_RANGE',
  JOURNAL_OPTION: 'BUS_OPTION',
};

/** The same trouble in the bus's words, with the journal's as its cause. */
export function asBusError(error: unknown): unknown {
  if (!(error instanceof JournalError)) return error;
  return new BusError(CODES[error.code] ?? 'BUS_FAILED', error.message, { cause: error });
}
