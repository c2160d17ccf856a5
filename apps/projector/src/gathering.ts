import { StoreError } from '@sallyport/adapter-postgres-store';
import type { Applied, Batch } from '@sallyport/adapter-postgres-store';

/** Records of one transaction at most, unless one batch alone has more. */
export const GATHERED_MAX_RECORDS = 4000;

interface Waiting {
  readonly batch: Batch;
  readonly done: (applied: Applied) => void;
  readonly failed: (error: unknown) => void;
}

type Apply = (batches: readonly Batch[]) => Promise<readonly (Applied | StoreError)[]>;

/** One transaction at a time: whatever has come while it ran goes into the next one together, of all partitions and topics. */
export class Gathering {
  #waiting: Waiting[] = [];
  #running = false;

  constructor(private readonly apply: Apply) {}

  put(batch: Batch): Promise<Applied> {
    return new Promise((done, failed) => {
      this.#waiting.push({ batch, done, failed });
      if (!this.#running) void this.#run();
    });
  }

  async #run(): Promise<void> {
    this.#running = true;
    // Partitions that have woken up together are in the first one together.
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      const taken = this.#take();
      try {
        const outcomes = await this.apply(taken.map(({ batch }) => batch));
        for (const [index, { done, failed }] of taken.entries()) {
          const outcome = outcomes[index];
          if (outcome && !(outcome instanceof StoreError)) done(outcome);
          else failed(outcome);
        }
      } catch (error) {
        for (const { failed } of taken) failed(error);
      }
    }
    this.#running = false;
  }

  /** In the order in which they came, one of each partition. */
  #take(): readonly Waiting[] {
    const taken: Waiting[] = [];
    const partitions = new Set<string>();
    let records = 0;
    for (const waiting of this.#waiting) {
      const { topic, partition, records: more } = waiting.batch;
      const name = `${topic}/${partition}`;
      if (partitions.has(name)) continue;
      if (taken.length > 0 && records + more.length > GATHERED_MAX_RECORDS) break;
      partitions.add(name);
      records += more.length;
      taken.push(waiting);
    }
    this.#waiting = this.#waiting.filter((one) => !taken.includes(one));
    return taken;
  }
}
