import { setTimeout as pause } from 'node:timers/promises';
import type { OffsetRow, RebuildState } from '@sallyport/adapter-postgres-store';
import type { Bus } from '@sallyport/bus';
import { codeOf } from './errors.js';
import type { ProjectorMetrics } from './metrics.js';
import type { StoreConnection } from './store-connection.js';

/** A store that doesn't answer for so long is told as it was known last. */
export const STORE_STATUS_TIMEOUT_MS = 1000;

export interface TopicStatus {
  readonly topic: string;
  readonly partition: number;
  /** The read model has every record before it. */
  readonly next: bigint;
  /** The log's. */
  readonly end: bigint;
  readonly lag: bigint;
}

export interface ModelStatusPorts {
  readonly bus: Bus;
  readonly stores: StoreConnection;
  readonly topics: readonly string[];
  readonly metrics: ProjectorMetrics;
}

interface Known {
  readonly positions: readonly OffsetRow[];
  readonly rebuild: RebuildState | null;
}

/** How far the read model is, whichever replica has the partition: the store and the log say. */
export class ModelStatus {
  #known: Known = { positions: [], rebuild: null };

  constructor(private readonly ports: ModelStatusPorts) {}

  /** `failure` is the code of why the store can't be asked. Rejects when the log can't. */
  async get(): Promise<{
    readonly topics: readonly TopicStatus[];
    readonly rebuild: RebuildState | null;
    readonly failure: string | null;
  }> {
    const { bus, topics, metrics } = this.ports;
    const [failure, ends] = await Promise.all([
      this.#ask(),
      Promise.all(topics.map(async (topic) => (await bus.ends(topic)).map((end) => ({ topic, ...end })))),
    ]);
    const { positions, rebuild } = this.#known;
    const rows = ends.flat().map(({ topic, partition, next: end }): TopicStatus => {
      const next = positions.find((row) => row.topic === topic && row.partition === partition)?.next ?? 0n;
      return { topic, partition, next, end, lag: end > next ? end - next : 0n };
    });
    for (const topic of topics) {
      const lag = rows.filter((row) => row.topic === topic).reduce((sum, row) => sum + row.lag, 0n);
      metrics.lag(topic, Number(lag));
    }
    return { topics: rows, rebuild, failure };
  }

  async #ask(): Promise<string | null> {
    const late = new AbortController();
    const asked = (async (): Promise<string | null> => {
      try {
        const store = await this.ports.stores.get();
        const [positions, rebuild] = await Promise.all([store.positions(), store.rebuildState()]);
        this.#known = { positions, rebuild };
        return null;
      } catch (error) {
        return codeOf(error);
      }
    })();
    const timeout = pause(STORE_STATUS_TIMEOUT_MS, 'STORE_UNREACHABLE', { signal: late.signal }).catch(() => null);
    const failure = await Promise.race([asked, timeout]);
    late.abort();
    return failure;
  }
}
