import {
  BusError,
  type Bus,
  type BusRecord,
  type ConsumeOptions,
  type Consumption,
  OpenWork,
  type OutgoingRecord,
  type PartitionEnds,
  type Placed,
  topicKind,
} from '@sallyport/bus';
import { Cluster } from './cluster.js';
import { consumeAlone } from './consume/consume-alone.js';
import { consumeInGroup } from './consume/consume-in-group.js';
import { groupId } from './consume/group-id.js';
import { asBusError, KafkaFault } from './faults.js';
import { type KafkaOptions, kafkaSettings } from './options.js';
import { pause, persist } from './pauses.js';
import { Producer } from './produce/producer.js';
import { fetchBatches } from './wire/fetch.js';
import { EARLIEST, LATEST, offsetAt } from './wire/offsets.js';

/**
 * The bus on Apache Kafka, 2.1 or later. Rejects with `BUS_OPTION`, or with `BUS_FAILED` when no broker takes us within `callTimeoutMs`.
 * Makes no topics: those are `applyTopics`'.
 *
 * A record may be on the log twice, after an answer that was lost: the second copy is equal, and readers fold it away by the event's id.
 * A `produce` that rejects with `BUS_FAILED` may be on the log too, for the same reason.
 */
export async function openKafkaBus(options: KafkaOptions): Promise<Bus> {
  const cluster = new Cluster(kafkaSettings(options));
  try {
    await persist(cluster.settings.limits.callTimeoutMs, cluster.signal, () => cluster.any());
  } catch (error) {
    cluster.close();
    throw asBusError(error);
  }
  return new KafkaBus(cluster);
}

/** A read below what a single fetch brings goes on; what is beyond isn't asked for. */
const READ_WAIT_MS = 0;

class KafkaBus implements Bus {
  readonly #producer: Producer;
  readonly #work: OpenWork;

  constructor(private readonly cluster: Cluster) {
    this.#producer = new Producer(cluster);
    this.#work = new OpenWork(cluster.settings.limits);
  }

  produce(topic: string, records: readonly OutgoingRecord[]): Promise<readonly Placed[]> {
    return this.#track(() => this.#producer.produce(topic, records));
  }

  read(topic: string, partition: number, offset: bigint, maxRecords: number): Promise<readonly BusRecord[]> {
    return this.#track(() => this.#persist(() => this.#read(topic, partition, offset, maxRecords)));
  }

  ends(topic: string): Promise<readonly PartitionEnds[]> {
    return this.#track(() =>
      this.#persist(async () => {
        const { leaders } = await this.cluster.shape(topic);
        return Promise.all(
          leaders.map(async (_, partition) => ({
            partition,
            first: await offsetAt(this.cluster, topic, partition, EARLIEST),
            next: await offsetAt(this.cluster, topic, partition, LATEST),
          })),
        );
      }),
    );
  }

  consume(options: ConsumeOptions): Promise<Consumption> {
    return this.#track(async () => {
      const reading = {
        maxBatchRecords: Math.max(1, options.maxBatchRecords ?? this.cluster.settings.limits.maxBatchRecords),
        mayForget: isTransient(options.topic),
      };
      return this.#work.consume(options, async () =>
        options.group === undefined
          ? consumeAlone(this.cluster, options, reading)
          : { stop: await consumeInGroup(this.cluster, options, groupId(options.group, options.topic), reading) },
      );
    });
  }

  close(): Promise<void> {
    return this.#work.close(async () => {
      const { closeTimeoutMs } = this.cluster.settings.limits;
      const done = new AbortController();
      const finished = this.#work.finished().finally(() => done.abort());
      finished.catch(() => undefined);
      await pause(closeTimeoutMs, done.signal);
      this.#producer.abandon(new BusError('BUS_CLOSED', `closed before the broker answered, after ${closeTimeoutMs} ms`));
      this.cluster.close();
    });
  }

  async #read(topic: string, partition: number, offset: bigint, maxRecords: number): Promise<readonly BusRecord[]> {
    const { limits } = this.cluster.settings;
    const link = await this.cluster.shared(await this.cluster.leader(topic, partition));
    const from = { topic, partition, maxBytes: limits.maxBatchBytes, waitMs: READ_WAIT_MS };
    try {
      // A gap (compaction) may be longer than one fetch.
      for (let at = offset; ;) {
        const { records, next } = await fetchBatches(link, { ...from, offset: at }, limits.requestTimeoutMs);
        if (records.length > 0 || next === undefined || next <= at) return records.slice(0, maxRecords);
        at = next;
      }
    } catch (error) {
      if (!(error instanceof KafkaFault)) throw error;
      if (error.passes) this.cluster.forget(topic);
      if (error.code !== 'OFFSET_OUT_OF_RANGE') throw error;
      return this.#outOfRange(topic, partition, offset, maxRecords, error);
    }
  }

  /** Behind the end there is nothing yet; before the start it is gone, which matters where nothing may be forgotten. */
  async #outOfRange(
    topic: string,
    partition: number,
    offset: bigint,
    maxRecords: number,
    error: KafkaFault,
  ): Promise<readonly BusRecord[]> {
    const first = await offsetAt(this.cluster, topic, partition, EARLIEST);
    if (offset >= first) return [];
    if (!isTransient(topic)) throw error;
    return this.#read(topic, partition, first, maxRecords);
  }

  #persist<T>(work: () => Promise<T>): Promise<T> {
    return persist(this.cluster.settings.limits.callTimeoutMs, this.cluster.signal, work);
  }

  #track<T>(work: () => Promise<T>): Promise<T> {
    return this.#work.track(() =>
      work().catch((error: unknown) => {
        throw asBusError(error);
      }),
    );
  }
}

/** What the record's rules don't apply to. A topic that nobody names is treated like the record. */
function isTransient(topic: string): boolean {
  try {
    return topicKind(topic) === 'transient';
  } catch {
    return false;
  }
}
