import { setTimeout as pause } from 'node:timers/promises';
import { Inject, Injectable } from '@nestjs/common';
import type { BeforeApplicationShutdown, OnApplicationBootstrap, OnApplicationShutdown } from '@nestjs/common';
import { type Bus, type BusRecord, TOPICS } from '@sallyport/bus';
import type { Distrusted, Roster } from '@sallyport/trust';
import { Gathering } from './gathering.js';
import type { Log } from './log.js';
import type { ProjectorMetrics } from './metrics.js';
import { Rebuilds } from './rebuilds.js';
import { isDropped } from './store-connection.js';
import type { StoreConnection } from './store-connection.js';
import { supervised } from './supervised.js';
import type { Supervised } from './supervised.js';
import { TopicIngest } from './topic-ingest.js';

export const INGEST_PORTS = Symbol('INGEST_PORTS');
export const PROJECTED_TOPICS = [TOPICS.sessions, TOPICS.control, TOPICS.leases] as const;

/** Records of one batch of one partition at most. */
export const BATCH_MAX_RECORDS = 2000;
/** How soon it is seen, without a record that comes, that somebody put the read model back or dropped it. */
export const STORE_CHECK_MS = 5000;

export interface IngestPorts {
  readonly bus: Bus;
  readonly stores: StoreConnection;
  /** Whose word counts. */
  readonly roster: Roster;
  readonly onDistrusted: (reason: Distrusted, record: BusRecord) => void;
  readonly log: Log;
  readonly metrics: ProjectorMetrics;
  readonly storeCheckMs?: number;
}

/** Keeps the read model where the log is, as far as this replica has its partitions. */
@Injectable()
export class Ingest implements OnApplicationBootstrap, BeforeApplicationShutdown, OnApplicationShutdown {
  readonly rebuilds: Rebuilds;
  readonly #topics: readonly TopicIngest[];
  #running: readonly Supervised[] = [];

  constructor(@Inject(INGEST_PORTS) private readonly ports: IngestPorts) {
    const { stores } = ports;
    const gathering = new Gathering(async (batches) => (await stores.get()).applyBatches(batches));
    this.#topics = PROJECTED_TOPICS.map((topic) => new TopicIngest(topic, BATCH_MAX_RECORDS, { ...ports, gathering }));
    this.rebuilds = new Rebuilds({ bus: ports.bus, stores, roster: ports.roster, topics: PROJECTED_TOPICS });
  }

  onApplicationBootstrap(): void {
    const reading = this.#topics.map((topic) =>
      supervised(
        (supervision) => topic.run(supervision),
        (error) => topic.failed(error),
      ),
    );
    // A store that is away is told by whoever has something to put there.
    const checking = supervised(
      ({ signal, well }) => this.#check(signal, well),
      () => {},
    );
    this.#running = [...reading, checking];
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.rebuilds.close();
    await Promise.all(this.#running.map((one) => one.stop()));
  }

  async onApplicationShutdown(): Promise<void> {
    await this.ports.stores.close();
  }

  /** Codes of what keeps these topics from getting on. */
  failures(topics: (topic: string) => boolean): readonly string[] {
    return this.#topics.filter(({ topic }) => topics(topic)).flatMap(({ topic, failures }) => failures.map((code) => `${topic}: ${code}`));
  }

  /** Looks whether the store has less than this replica has put there. */
  async #check(signal: AbortSignal, well: () => void): Promise<void> {
    const { stores, storeCheckMs = STORE_CHECK_MS } = this.ports;
    while (!signal.aborted) {
      await pause(storeCheckMs, undefined, { signal });
      // First what is thought to be there: it may only grow until the store is asked.
      const thought = this.#topics.map((topic) => ({ topic, stored: topic.stored }));
      try {
        const positions = await (await stores.get()).positions();
        for (const { topic, stored } of thought) {
          const lost = [...stored].some(
            ([partition, next]) => next > (positions.find((row) => row.topic === topic.topic && row.partition === partition)?.next ?? 0n),
          );
          if (lost) topic.restart();
        }
        well();
      } catch (error) {
        if (!isDropped(error)) throw error;
        await stores.reset();
        for (const topic of this.#topics) topic.restart();
      }
    }
  }
}
