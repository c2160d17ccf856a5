import type { BusRecord, OutgoingRecord } from '@sallyport/bus';

/** One partition of one topic, whatever keeps it. */
export interface PartitionLog {
  readonly topic: string;
  readonly partition: number;
  /** False when it begins anew at a restart: then what groups have committed begins anew too. */
  readonly survivesRestart: boolean;
  /** The oldest offset that is there. */
  readonly first: bigint;
  /** Behind the last that can be read. */
  readonly next: bigint;
  /** Resolves with the offset of the first when all are as durable as the topic wants; they stand one behind the other. */
  append(records: readonly OutgoingRecord[]): Promise<bigint>;
  /** At least one record when there is one from `from` on. Starts at `first` when `from` is older and the log may forget. */
  read(from: bigint, maxRecords: number, maxBytes: number): Promise<readonly BusRecord[]>;
  /** Called when there is more to read. Returns how to stop. */
  onMore(listener: () => void): () => void;
  close(): Promise<void>;
}
