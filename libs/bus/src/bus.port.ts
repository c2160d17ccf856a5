/** One record as read from a topic. `value` holds the bytes as written: hashes are over them, never over a copy made anew. */
export interface BusRecord {
  readonly topic: string;
  readonly partition: number;
  readonly offset: bigint;
  /** Milliseconds since the epoch, set by the writer. */
  readonly timestampMs: number;
  readonly key: string | null;
  readonly value: Buffer;
  readonly headers: Readonly<Record<string, string>>;
}

export interface OutgoingRecord {
  readonly key: string | null;
  readonly value: Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
  readonly timestampMs?: number;
  /** Picked from the key when absent. */
  readonly partition?: number;
}

export interface Placed {
  readonly partition: number;
  readonly offset: bigint;
}

/**
 * Where a consumer without a committed offset starts. `offsets` wins over committed ones, and needs a group without other members.
 * `stored` is for who keeps its offsets elsewhere, beside what it makes of the records: it is asked for the place whenever a partition
 * is given to this member, and nothing is committed. When that rejects, `onError` is told and it is asked again after a pause that
 * grows; the member's other partitions, and the other members, go on meanwhile.
 */
export type StartAt =
  | { readonly at: 'earliest' }
  | { readonly at: 'latest' }
  | { readonly at: 'timestamp'; readonly timestampMs: number }
  | { readonly at: 'offsets'; readonly offsets: Readonly<Record<number, bigint>> }
  | { readonly at: 'stored'; offsetOf(partition: number): Promise<bigint> };

export interface ConsumeOptions {
  readonly topic: string;
  /** With a group, partitions are shared among its members and offsets can be committed. Without, every partition is read. */
  readonly group?: string;
  readonly start: StartAt;
  /** Only these partitions. Not with a group: there the group decides. */
  readonly partitions?: readonly number[];
  readonly maxBatchRecords?: number;
  /**
   * Called with one batch of one partition at a time, in order. The next batch of that partition is not fetched before
   * the promise resolves. A rejection is retried with the same batch after a pause that grows; nothing is skipped.
   */
  onBatch(batch: readonly BusRecord[], context: BatchContext): Promise<void>;
  /** Told of every rejection of `onBatch`, for logs and metrics. */
  onError?(error: unknown): void;
}

export interface BatchContext {
  /** Durable when it resolves: a restart of the group starts behind this batch. Only with a group. */
  commit(): Promise<void>;
  /**
   * The same without waiting: the bus commits it with others, within a moment. Whoever is killed before gets the batch again. Only
   * with a group; elsewhere it does nothing.
   */
  commitSoon(): void;
}

export interface Consumption {
  /**
   * Partition → the offset at which it begins there. Only without a group. Times are the writers' own: what a time has come to can't be told
   * from the records afterwards.
   */
  readonly starts?: ReadonlyMap<number, bigint>;
  /** Waits for the running batch, leaves the group. */
  close(): Promise<void>;
}

export interface PartitionEnds {
  readonly partition: number;
  /** The oldest offset that is still there. */
  readonly first: bigint;
  /** The offset that the next record gets. */
  readonly next: bigint;
}

/**
 * How long and how surely a topic keeps its records. `record` topics are for ever and synced before `produce` resolves;
 * `transient` ones (requests and replies) may be forgotten after minutes and at a restart. None keeps only the last record of a key: whoever
 * can write could remove what somebody else said.
 */
export type TopicKind = 'record' | 'transient';

export interface Bus {
  /** Resolves when every record is as durable as the topic's kind says. All of one call to one partition stay in order. */
  produce(topic: string, records: readonly OutgoingRecord[]): Promise<readonly Placed[]>;
  consume(options: ConsumeOptions): Promise<Consumption>;
  /** Random access: up to `maxRecords` from `offset` on; an empty list at the end of the log. */
  read(topic: string, partition: number, offset: bigint, maxRecords: number): Promise<readonly BusRecord[]>;
  ends(topic: string): Promise<readonly PartitionEnds[]>;
  /** Waits for what is under way. Afterwards every call rejects with `BUS_CLOSED`. */
  close(): Promise<void>;
}
