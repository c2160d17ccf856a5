import { BusError, type OutgoingRecord, type Placed } from '@sallyport/bus';
import type { Cluster } from '../cluster.js';
import { type PreparedRecord, prepareRecord } from '../wire/record-batch.js';
import { partitionOfKey } from './partitioner.js';
import { TopicWriter } from './topic-writer.js';

/** Produces to every topic: picks partitions, keeps calls in order, and bounds what is pending. */
export class Producer {
  readonly #writers = new Map<string, Promise<TopicWriter>>();
  readonly #open = new Set<TopicWriter>();
  #pendingBytes = 0;
  #calls = 0;

  constructor(private readonly cluster: Cluster) {}

  async produce(topic: string, records: readonly OutgoingRecord[]): Promise<readonly Placed[]> {
    const prepared = records.map((record) => this.#prepare(topic, record));
    const bytes = prepared.reduce((sum, record) => sum + record.bytes, 0);
    const { maxPendingProduceBytes } = this.cluster.settings.limits;
    if (this.#pendingBytes + bytes > maxPendingProduceBytes)
      throw new BusError('BUS_BUSY', `more than ${maxPendingProduceBytes} bytes would wait for the broker`);
    this.#pendingBytes += bytes;
    try {
      // Every call waits for the same promise of its topic, so they come out of it in the order in which they were made.
      return await this.#writer(topic).then((writer) => this.#write(writer, topic, records, prepared));
    } finally {
      this.#pendingBytes -= bytes;
    }
  }

  /** Rejects what has not resolved. */
  abandon(error: Error): void {
    for (const writer of this.#open) writer.abandon(error);
  }

  #prepare(topic: string, record: OutgoingRecord): PreparedRecord {
    const prepared = prepareRecord(record);
    const { maxRecordBytes } = this.cluster.settings.limits;
    if (prepared.bytes > maxRecordBytes) throw new BusError('BUS_RECORD_TOO_LARGE', `a record of ${prepared.bytes} bytes for ${topic}`);
    return prepared;
  }

  #writer(topic: string): Promise<TopicWriter> {
    const known = this.#writers.get(topic);
    if (known) return known;
    const opening = this.cluster.shape(topic).then((shape) => {
      const writer = new TopicWriter(this.cluster, shape);
      this.#open.add(writer);
      return writer;
    });
    this.#writers.set(topic, opening);
    // A topic that isn't there may be made later.
    opening.catch(() => this.#writers.delete(topic));
    return opening;
  }

  /** Nothing is awaited before everything is queued, unless a partition is named that isn't known yet. */
  async #write(
    writer: TopicWriter,
    topic: string,
    records: readonly OutgoingRecord[],
    prepared: readonly PreparedRecord[],
  ): Promise<readonly Placed[]> {
    const highest = records.reduce((max, { partition = 0 }) => Math.max(max, partition), 0);
    if (highest >= writer.partitions) await this.cluster.refresh(topic);
    // What is old is asked anew beside this call, not before it.
    else this.cluster.shape(topic).catch(() => undefined);
    const count = writer.partitions;
    const wrong = records.find(
      ({ partition }) => partition !== undefined && !(Number.isInteger(partition) && partition >= 0 && partition < count),
    );
    if (wrong) throw new BusError('BUS_PARTITION', `${topic} has no partition ${wrong.partition}`);
    // Records without a key go to one partition per call: they stay in order, and make one batch.
    const keyless = this.#calls++ % count;
    const places = new Map<number, number[]>();
    for (const [n, { key, partition }] of records.entries()) {
      const to = partition ?? (key === null ? keyless : partitionOfKey(key, count));
      const list = places.get(to);
      if (list) list.push(n);
      else places.set(to, [n]);
    }
    const placed = Array.from<Placed>({ length: records.length });
    const writes = [...places].map(async ([partition, list]) => {
      const offsets = await writer.write(
        partition,
        list.map((n) => prepared[n]!),
      );
      for (const [at, n] of list.entries()) placed[n] = { partition, offset: offsets[at]! };
    });
    // All of them: a rejection of one partition must not leave another one's unheard.
    const outcomes = await Promise.allSettled(writes);
    for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason as Error;
    return placed;
  }
}
