import type { BatchContext, BusRecord } from '@sallyport/bus';
import type { PartitionLog } from './partition-log.js';

export interface ReaderOptions {
  readonly maxBatchRecords: number;
  readonly maxBatchBytes: number;
  onBatch(batch: readonly BusRecord[], context: BatchContext): Promise<void>;
  onError(error: unknown): void;
  /** Makes the offset the place where the group goes on. */
  commit(partition: number, next: bigint): Promise<void>;
}

const FIRST_PAUSE_MS = 20;
const LONGEST_PAUSE_MS = 5000;

/** Delivers one partition to one handler, a batch at a time, each until it succeeds. */
export class PartitionReader {
  #stopping = false;
  #wake: (() => void) | undefined;
  readonly #running: Promise<void>;
  readonly #stopListening: () => void;

  /** `start` may have to be asked for: until it is told, again and again, nothing is delivered. */
  constructor(
    private readonly log: PartitionLog,
    private readonly start: bigint | (() => Promise<bigint>),
    private readonly options: ReaderOptions,
  ) {
    this.#stopListening = log.onMore(() => this.#wake?.());
    this.#running = this.#run();
  }

  /** Waits for the batch that is with the handler. A batch that failed is not tried again. */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.#wake?.();
    await this.#running;
    this.#stopListening();
  }

  async #run(): Promise<void> {
    const { maxBatchRecords, maxBatchBytes } = this.options;
    let pauseMs = FIRST_PAUSE_MS;
    let batch: readonly BusRecord[] = [];
    let position: bigint | undefined;
    while (!this.#stopping) {
      try {
        position ??= typeof this.start === 'bigint' ? this.start : await this.start();
        if (batch.length === 0) batch = await this.log.read(position, maxBatchRecords, maxBatchBytes);
        if (batch.length === 0) {
          await this.#more(position);
          continue;
        }
        if (this.#stopping) return;
        const next = batch.at(-1)!.offset + 1n;
        await this.options.onBatch(batch, {
          commit: () => this.options.commit(this.log.partition, next),
          commitSoon: () => void this.options.commit(this.log.partition, next).catch((error: unknown) => this.#tell(error)),
        });
        position = next;
        batch = [];
        pauseMs = FIRST_PAUSE_MS;
      } catch (error) {
        this.options.onError(error);
        await this.#pause(pauseMs);
        pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS);
      }
    }
  }

  /** A commit without a group is no failure of the batch. */
  #tell(error: unknown): void {
    if ((error as { code?: unknown }).code !== 'BUS_NO_GROUP') this.options.onError(error);
  }

  #more(position: bigint): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
      if (this.#stopping || this.log.next > position) resolve();
    });
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      // New records don't cut a pause short; stopping does.
      this.#wake = () => {
        if (!this.#stopping) return;
        clearTimeout(timer);
        resolve();
      };
      this.#wake();
    });
  }
}
