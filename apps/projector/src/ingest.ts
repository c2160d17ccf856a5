import { Inject, Injectable } from '@nestjs/common';
import type { BeforeApplicationShutdown, OnApplicationBootstrap, OnApplicationShutdown } from '@nestjs/common';
import { TOPICS } from '@sallyport/bus';
import { rebuildFromLog } from './rebuild.js';
import { supervised } from './supervised.js';
import type { Supervised } from './supervised.js';
import { TopicIngest } from './topic-ingest.js';
import type { IngestPorts } from './topic-ingest.js';

export const INGEST_PORTS = Symbol('INGEST_PORTS');
export const PROJECTED_TOPICS = [TOPICS.sessions, TOPICS.control, TOPICS.leases] as const;

/** Records of one transaction at most. */
export const BATCH_MAX_RECORDS = 2000;

export interface TopicStatus {
  readonly topic: string;
  readonly partition: number;
  /** The read model has every record before it. */
  readonly next: bigint;
  /** The log's. */
  readonly end: bigint;
  readonly lag: bigint;
}

/** Keeps the read model where the log is. */
@Injectable()
export class Ingest implements OnApplicationBootstrap, BeforeApplicationShutdown, OnApplicationShutdown {
  readonly #topics: readonly TopicIngest[];
  #running: readonly Supervised[] = [];
  #rebuilding: Promise<void> | undefined;
  readonly #closing = new AbortController();

  constructor(@Inject(INGEST_PORTS) private readonly ports: IngestPorts) {
    this.#topics = PROJECTED_TOPICS.map((topic) => new TopicIngest(topic, BATCH_MAX_RECORDS, ports));
  }

  onApplicationBootstrap(): void {
    this.#running = this.#topics.map((topic) =>
      supervised(
        (supervision) => topic.run(supervision),
        (error) => topic.failed(error),
      ),
    );
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.#closing.abort();
    await this.#rebuilding?.catch(() => {});
    await Promise.all(this.#running.map((one) => one.stop()));
  }

  async onApplicationShutdown(): Promise<void> {
    await this.ports.stores.close();
  }

  get rebuilding(): boolean {
    return this.#rebuilding !== undefined;
  }

  /** Codes of what keeps it from getting on. */
  get failures(): readonly string[] {
    return this.#topics.flatMap(({ topic, failure }) => (failure === null ? [] : [`${topic}: ${failure}`]));
  }

  async status(): Promise<readonly TopicStatus[]> {
    const rows = await Promise.all(
      this.#topics.map(async ({ topic, stored }) => {
        const ends = await this.ports.bus.ends(topic);
        return ends.map(({ partition, next: end }) => {
          const next = stored.get(partition) ?? 0n;
          return { topic, partition, next, end, lag: end > next ? end - next : 0n };
        });
      }),
    );
    for (const partitions of rows) {
      const lag = partitions.reduce((sum, one) => sum + one.lag, 0n);
      if (partitions[0]) this.ports.metrics.lag(partitions[0].topic, Number(lag));
    }
    return rows.flat();
  }

  /** One at a time: who asks while one is under way gets that one's end. */
  rebuild(): Promise<void> {
    this.#rebuilding ??= rebuildFromLog({ ...this.ports, topics: PROJECTED_TOPICS, signal: this.#closing.signal }).finally(() => {
      this.#rebuilding = undefined;
    });
    return this.#rebuilding;
  }
}
