import {
  BusError,
  type Bus,
  type BusRecord,
  type ConsumeOptions,
  type Consumption,
  type Opened,
  OpenWork,
  type OutgoingRecord,
  type PartitionEnds,
  type Placed,
  type StartAt,
} from '@sallyport/bus';
import { JOURNAL_LIMITS, type JournalLimits } from '@sallyport/journal';
import { join } from 'node:path';
import { CommittedOffsets } from './committed-offsets.js';
import { Group } from './group.js';
import { asBusError } from './journal-partition.js';
import { TRANSIENT_LIMITS, type TransientLimits } from './memory-partition.js';
import type { PartitionLog } from './partition-log.js';
import { PartitionReader, type ReaderOptions } from './partition-reader.js';
import { partitionOf, Topics } from './topics.js';

export interface EmbeddedBusLimits extends TransientLimits {
  /** Of one partition of a record topic. At the limit `produce` rejects with `BUS_FULL`. */
  readonly topicMaxBytes: number;
  /** Key, value and headers of one record. */
  readonly maxRecordBytes: number;
  readonly segmentBytes: number;
  readonly preallocateBytes: number;
  /** Appended and not yet on disk, of one partition. */
  readonly maxPendingBytes: number;
  readonly maxBatchRecords: number;
  readonly maxBatchBytes: number;
  readonly maxConsumers: number;
}

export const EMBEDDED_BUS_LIMITS: EmbeddedBusLimits = {
  ...TRANSIENT_LIMITS,
  topicMaxBytes: 256 * 2 ** 30,
  maxRecordBytes: JOURNAL_LIMITS.maxRecordBytes,
  segmentBytes: 64 * 2 ** 20,
  preallocateBytes: 4 * 2 ** 20,
  maxPendingBytes: JOURNAL_LIMITS.maxPendingBytes,
  maxBatchRecords: 500,
  maxBatchBytes: 2 ** 20,
  maxConsumers: 1000,
};

export interface EmbeddedBusOptions extends Partial<EmbeddedBusLimits> {
  /** `topics/TOPIC/PARTITION/` and `groups/` are made in it. One process has it at a time. */
  readonly dir: string;
  /** Of each record topic that isn't there yet. Default 1. */
  readonly partitions?: number;
}

/**
 * A bus on local disk: a journal per partition. Rejects with `BUS_LOCKED`, `BUS_CORRUPT`.
 * A topic is opened when it is first used, so its errors come then.
 */
export async function openEmbeddedBus(options: EmbeddedBusOptions): Promise<Bus> {
  const { dir, partitions = 1, ...given } = options;
  const limits: EmbeddedBusLimits = { ...EMBEDDED_BUS_LIMITS, ...given };
  if (!Number.isInteger(partitions) || partitions < 1 || partitions > 9999)
    throw new BusError('BUS_OPTION', 'partitions must be 1 to 9999');
  const journal: Partial<JournalLimits> = {
    maxBytes: limits.topicMaxBytes,
    maxRecordBytes: limits.maxRecordBytes,
    segmentBytes: limits.segmentBytes,
    preallocateBytes: Math.min(limits.preallocateBytes, limits.segmentBytes),
    maxPendingBytes: limits.maxPendingBytes,
    maxAgeMs: Infinity,
    reserveBytes: 0,
  };
  try {
    const committed = await CommittedOffsets.open(join(dir, 'groups'));
    return new EmbeddedBus(new Topics({ directory: dir, partitions, journal, transient: limits }), committed, limits);
  } catch (error) {
    throw asBusError(error);
  }
}

class EmbeddedBus implements Bus {
  readonly #groups = new Map<string, Group>();
  readonly #work: OpenWork;

  constructor(
    private readonly topics: Topics,
    private readonly committed: CommittedOffsets,
    private readonly limits: EmbeddedBusLimits,
  ) {
    this.#work = new OpenWork(limits);
  }

  produce(topic: string, records: readonly OutgoingRecord[]): Promise<readonly Placed[]> {
    return this.#work.track(async () => {
      const logs = await this.topics.get(topic);
      const byPartition = new Map<number, number[]>();
      for (const [at, record] of records.entries()) {
        const partition = record.partition ?? partitionOf(record.key, logs.length);
        partitionIn(logs, topic, partition);
        byPartition.set(partition, [...(byPartition.get(partition) ?? []), at]);
      }
      const placed = Array.from<Placed>({ length: records.length });
      await Promise.all(
        [...byPartition].map(async ([partition, places]) => {
          const first = await logs[partition]!.append(places.map((at) => records[at]!));
          for (const [n, at] of places.entries()) placed[at] = { partition, offset: first + BigInt(n) };
        }),
      );
      return placed;
    });
  }

  read(topic: string, partition: number, offset: bigint, maxRecords: number): Promise<readonly BusRecord[]> {
    return this.#work.track(async () =>
      partitionIn(await this.topics.get(topic), topic, partition).read(offset, maxRecords, this.limits.maxBatchBytes),
    );
  }

  ends(topic: string): Promise<readonly PartitionEnds[]> {
    return this.#work.track(async () => (await this.topics.get(topic)).map(({ partition, first, next }) => ({ partition, first, next })));
  }

  consume(options: ConsumeOptions): Promise<Consumption> {
    const open = async (): Promise<Opened> => {
      const logs = await this.topics.get(options.topic);
      return options.group === undefined
        ? this.#consumeAlone(options, logs)
        : { stop: await this.#consumeInGroup(options, options.group, logs) };
    };
    return this.#work.track(() => this.#work.consume(options, open));
  }

  close(): Promise<void> {
    return this.#work.close(async () => {
      await this.#work.finished();
      await this.topics.close();
      await this.committed.close();
    });
  }

  async #consumeAlone(
    options: ConsumeOptions,
    logs: readonly PartitionLog[],
  ): Promise<{ readonly starts: ReadonlyMap<number, bigint>; stop(): Promise<void> }> {
    const wanted = options.partitions?.map((partition) => partitionIn(logs, options.topic, partition)) ?? logs;
    const noGroup = (): Promise<void> => Promise.reject(new BusError('BUS_NO_GROUP', 'a commit needs a group'));
    const starts = await Promise.all(wanted.map((log) => startOf(log, options.start)));
    const readers = wanted.map((log, at) => new PartitionReader(log, starts[at]!, this.#readerOptions(options, noGroup)));
    return {
      starts: new Map(wanted.map(({ partition }, at) => [partition, starts[at]!])),
      stop: async () => void (await Promise.all(readers.map((reader) => reader.stop()))),
    };
  }

  async #consumeInGroup(options: ConsumeOptions, group: string, logs: readonly PartitionLog[]): Promise<() => Promise<void>> {
    const commit = async (partition: number, next: bigint): Promise<void> => {
      if (logs[partition]!.survivesRestart) await this.committed.set(group, options.topic, partition, next);
      else this.committed.setUntilRestart(group, options.topic, partition, next);
    };
    const name = JSON.stringify([group, options.topic]);
    const shared =
      this.#groups.get(name) ??
      new Group(logs, { commit, startOf, committed: (partition) => this.committed.get(group, options.topic, partition) });
    this.#groups.set(name, shared);
    const member = { start: options.start, options: this.#readerOptions(options, commit) };
    const leave = async (): Promise<void> => {
      await shared.leave(member);
      if (shared.isEmpty && this.#groups.get(name) === shared) this.#groups.delete(name);
    };
    try {
      await shared.join(member);
    } catch (error) {
      await leave();
      throw error;
    }
    return leave;
  }

  #readerOptions(options: ConsumeOptions, commit: ReaderOptions['commit']): ReaderOptions {
    return {
      maxBatchRecords: Math.max(1, options.maxBatchRecords ?? this.limits.maxBatchRecords),
      maxBatchBytes: this.limits.maxBatchBytes,
      onBatch: (batch, context) => options.onBatch(batch, context),
      onError: (error) => options.onError?.(error),
      commit,
    };
  }
}

function partitionIn(logs: readonly PartitionLog[], topic: string, partition: number): PartitionLog {
  const log = logs[partition];
  if (!log) throw new BusError('BUS_PARTITION', `${topic} has no partition ${partition}`);
  return log;
}

const SEARCH_RECORDS = 1000;

async function startOf(log: PartitionLog, start: StartAt): Promise<bigint> {
  if (start.at === 'latest') return log.next;
  if (start.at === 'offsets') return start.offsets[log.partition] ?? log.first;
  if (start.at === 'stored') return start.offsetOf(log.partition);
  if (start.at === 'earliest') return log.first;
  // Times are the writers' own and need not grow, so nothing can be skipped.
  for (let at = log.first; ;) {
    const records = await log.read(at, SEARCH_RECORDS, 2 ** 22);
    if (records.length === 0) return at;
    const found = records.find((record) => record.timestampMs >= start.timestampMs);
    if (found) return found.offset;
    at = records.at(-1)!.offset + 1n;
  }
}
