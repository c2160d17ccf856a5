import { StoreError } from '@sallyport/adapter-postgres-store';
import type { Store } from '@sallyport/adapter-postgres-store';
import type { Bus, BusRecord } from '@sallyport/bus';
import type { LogRecord } from '@sallyport/projections';
import type { Distrusted, Roster } from '@sallyport/trust';
import { Assembler, LOG_START } from './assembler.js';
import type { Place } from './assembler.js';
import { type Belief, beliefOf } from './belief.js';
import { codeOf, ProjectorError } from './errors.js';
import type { Log } from './log.js';
import type { ProjectorMetrics } from './metrics.js';
import { isDropped } from './store-connection.js';
import type { StoreConnection } from './store-connection.js';
import { aborted } from './supervised.js';
import type { Supervision } from './supervised.js';
import type { Turns } from './turns.js';

export interface IngestPorts {
  readonly bus: Bus;
  readonly stores: StoreConnection;
  /** One batch at a time over all topics, so that a rebuild can take its turn between two. */
  readonly turns: Turns;
  /** Whose word counts. */
  readonly roster: Roster;
  readonly onDistrusted: (reason: Distrusted, record: BusRecord) => void;
  readonly log: Log;
  readonly metrics: ProjectorMetrics;
}

interface Partition {
  readonly assembler: Assembler;
  /** Whole events that are not stored yet. */
  waiting: LogRecord[];
  /** Up to where the store has it. */
  stored: bigint;
}

/** Puts one topic into the store. Nothing is skipped: a batch is tried until it is in. */
export class TopicIngest {
  #partitions = new Map<number, Partition>();
  #failure: string | null = null;

  constructor(
    readonly topic: string,
    private readonly maxBatchRecords: number,
    private readonly ports: IngestPorts,
  ) {}

  /** Why it doesn't get on, as a code; null when it does. */
  get failure(): string | null {
    return this.#failure;
  }

  /** Partition → offset up to which the store has it. */
  get stored(): ReadonlyMap<number, bigint> {
    return new Map([...this.#partitions].map(([partition, { stored }]) => [partition, stored]));
  }

  /** From where the store is to wherever the log goes. Ends when stopped, or when the store is not where it was thought to be. */
  async run({ signal, well }: Supervision): Promise<void> {
    const { bus, stores } = this.ports;
    const store = await stores.get();
    const starts = await this.#starts(store);
    this.#partitions = new Map(
      [...starts].map(([partition, place]) => [
        partition,
        { assembler: new Assembler(place, (record) => this.#belief(record)), waiting: [], stored: place.next },
      ]),
    );
    const restart = new AbortController();
    const consumption = await bus.consume({
      topic: this.topic,
      start: { at: 'offsets', offsets: Object.fromEntries([...starts].map(([partition, { resume }]) => [partition, resume])) },
      maxBatchRecords: this.maxBatchRecords,
      onBatch: async (batch) => {
        await this.#batch(batch, restart);
        this.#failure = null;
        well();
      },
      onError: (error) => this.failed(error),
    });
    this.#failure = null;
    try {
      await Promise.race([aborted(signal), aborted(restart.signal)]);
    } finally {
      await consumption.close();
    }
  }

  failed(error: unknown): void {
    const code = codeOf(error);
    if (this.#failure !== code) this.ports.log.warn({ topic: this.topic, code }, 'the read model does not get on');
    this.#failure = code;
    this.ports.metrics.failed(code);
  }

  #belief(record: BusRecord): Belief {
    const belief = beliefOf(this.ports.roster, record);
    if (typeof belief === 'object') this.ports.onDistrusted(belief.distrusted, record);
    return belief;
  }

  async #starts(store: Store): Promise<Map<number, Place>> {
    const stored = await store.positions();
    const ends = await this.ports.bus.ends(this.topic);
    return new Map(
      ends.map(({ partition, next: end }) => {
        const place = stored.find((one) => one.topic === this.topic && one.partition === partition) ?? LOG_START;
        if (place.next > end) {
          throw new ProjectorError(
            'PROJECTOR_LOG_SHORTER',
            `${this.topic}/${partition} ends at ${end}, and the store has it to ${place.next}`,
          );
        }
        return [partition, { next: place.next, resume: place.resume }];
      }),
    );
  }

  async #batch(batch: readonly BusRecord[], restart: AbortController): Promise<void> {
    const number = batch[0]?.partition;
    const partition = number === undefined ? undefined : this.#partitions.get(number);
    if (number === undefined || !partition) return;
    try {
      for (const record of batch) {
        const event = partition.assembler.push(record);
        if (event) partition.waiting.push(event);
      }
      const { next, resume } = partition.assembler.place;
      const applied = await this.ports.turns.take(async () =>
        (await this.ports.stores.get()).applyBatch({
          topic: this.topic,
          partition: number,
          records: partition.waiting,
          firstOffset: partition.stored,
          nextOffset: next,
          resumeOffset: resume,
        }),
      );
      partition.waiting = [];
      partition.stored = next;
      this.ports.metrics.applied(this.topic, applied.records, applied.unreadable);
    } catch (error) {
      if (isDropped(error)) await this.ports.stores.reset();
      // The store was put back to an earlier state, or the bus left something out: start again from where the store is.
      const lost = isDropped(error) || (error instanceof StoreError && error.code === 'STORE_GAP');
      if (lost || error instanceof ProjectorError) restart.abort();
      throw error;
    }
  }
}
