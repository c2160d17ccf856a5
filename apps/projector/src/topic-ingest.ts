import { StoreError } from '@sallyport/adapter-postgres-store';
import type { OffsetRow } from '@sallyport/adapter-postgres-store';
import type { Bus, BusRecord } from '@sallyport/bus';
import type { LogRecord } from '@sallyport/projections';
import type { Distrusted, Roster } from '@sallyport/trust';
import { Assembler, LOG_START } from './assembler.js';
import type { Place } from './assembler.js';
import { type Belief, beliefOf } from './belief.js';
import { codeOf, ProjectorError } from './errors.js';
import type { Gathering } from './gathering.js';
import type { Log } from './log.js';
import type { ProjectorMetrics } from './metrics.js';
import { isDropped } from './store-connection.js';
import type { StoreConnection } from './store-connection.js';
import { aborted } from './supervised.js';
import type { Supervision } from './supervised.js';
import { Troubles } from './troubles.js';

/** Shares the partitions among all projectors. Nothing is committed: the store has the offsets. */
export const INGEST_GROUP = 'projector';

export interface TopicIngestPorts {
  readonly bus: Bus;
  readonly stores: StoreConnection;
  /** Whose word counts. */
  readonly roster: Roster;
  readonly onDistrusted: (reason: Distrusted, record: BusRecord) => void;
  readonly gathering: Gathering;
  readonly log: Log;
  readonly metrics: ProjectorMetrics;
}

/** What is known of a partition since it was given to this replica. One that has moved on stays as it was: nobody tells. */
interface Partition {
  readonly assembler: Assembler;
  /** Whole events that are not stored yet. */
  waiting: LogRecord[];
  /** Up to where the store has it. */
  stored: bigint;
}

/** Puts this replica's partitions of one topic into the store. Nothing is skipped: a batch is tried until it is in. */
export class TopicIngest {
  readonly #partitions = new Map<number, Partition>();
  readonly #troubles = new Troubles();
  #restart = new AbortController();

  constructor(
    readonly topic: string,
    private readonly maxBatchRecords: number,
    private readonly ports: TopicIngestPorts,
  ) {}

  /** Why it doesn't get on, as codes. */
  get failures(): readonly string[] {
    return this.#troubles.codes;
  }

  /** Partition → offset up to which the store has it, as far as this replica had to do with it. */
  get stored(): ReadonlyMap<number, bigint> {
    return new Map([...this.#partitions].map(([partition, { stored }]) => [partition, stored]));
  }

  /** From where the store is to wherever the log goes. Ends when stopped, or when the store is not where it was thought to be. */
  async run({ signal, well }: Supervision): Promise<void> {
    const restart = new AbortController();
    this.#restart = restart;
    this.#partitions.clear();
    const consumption = await this.ports.bus.consume({
      topic: this.topic,
      group: INGEST_GROUP,
      start: { at: 'stored', offsetOf: (partition) => this.#assigned(partition) },
      maxBatchRecords: this.maxBatchRecords,
      onBatch: async (batch) => {
        await this.#batch(batch);
        well();
      },
      onError: (error) => this.failed(error),
    });
    this.#troubles.over();
    try {
      await Promise.race([aborted(signal), aborted(restart.signal)]);
    } finally {
      await consumption.close();
    }
  }

  /** Starts again from where the store is. */
  restart(): void {
    this.#restart.abort();
  }

  failed(error: unknown, partition?: number): void {
    const code = codeOf(error);
    if (this.#troubles.tell(code, partition)) this.ports.log.warn({ topic: this.topic, code }, 'the read model does not get on');
    this.ports.metrics.failed(code);
  }

  #belief(record: BusRecord): Belief {
    const belief = beliefOf(this.ports.roster, record);
    if (typeof belief === 'object') this.ports.onDistrusted(belief.distrusted, record);
    return belief;
  }

  /** The partition is this replica's now: what was known of it before is worth nothing, whoever had it meanwhile. */
  async #assigned(number: number): Promise<bigint> {
    try {
      const store = await this.ports.stores.get();
      const place = await this.#checked(number, await store.positions());
      this.#partitions.set(number, { assembler: new Assembler(place, (record) => this.#belief(record)), waiting: [], stored: place.next });
      this.#troubles.over(number);
      return place.resume;
    } catch (error) {
      if (isDropped(error)) await this.ports.stores.reset();
      this.failed(error, number);
      throw error;
    }
  }

  async #checked(number: number, stored: readonly OffsetRow[]): Promise<Place> {
    const { next, resume } = stored.find(({ topic, partition }) => topic === this.topic && partition === number) ?? LOG_START;
    const end = (await this.ports.bus.ends(this.topic)).find(({ partition }) => partition === number)?.next ?? 0n;
    if (next > end) {
      throw new ProjectorError('PROJECTOR_LOG_SHORTER', `${this.topic}/${number} ends at ${end}, and the store has it to ${next}`);
    }
    return { next, resume };
  }

  async #batch(batch: readonly BusRecord[]): Promise<void> {
    const number = batch[0]?.partition;
    const partition = number === undefined ? undefined : this.#partitions.get(number);
    if (number === undefined || !partition) return;
    try {
      for (const record of batch) {
        const event = partition.assembler.push(record);
        if (event) partition.waiting.push(event);
      }
      const { next, resume } = partition.assembler.place;
      const applied = await this.ports.gathering.put({
        topic: this.topic,
        partition: number,
        records: partition.waiting,
        firstOffset: partition.stored,
        nextOffset: next,
        resumeOffset: resume,
      });
      partition.waiting = [];
      partition.stored = next;
      this.#troubles.over(number);
      this.ports.metrics.applied(this.topic, applied.records, applied.unreadable);
    } catch (error) {
      this.failed(error, number);
      if (isDropped(error)) await this.ports.stores.reset();
      // The store was put back to an earlier state, or the bus left something out: start again from where the store is.
      const lost = isDropped(error) || (error instanceof StoreError && error.code === 'STORE_GAP');
      if (lost || error instanceof ProjectorError) this.restart();
      throw error;
    }
  }
}
