import { TOPICS } from '@sallyport/bus';
import type { Bus, Consumption } from '@sallyport/bus';
import type { VerifierKey } from '@sallyport/events';
import { findPublished, published } from './published.js';

export interface SignedHeadsOptions {
  readonly bus: Bus;
  /** Names of the logs. */
  readonly logs: readonly string[];
  readonly keys: () => readonly VerifierKey[];
  /** Somebody has signed more of a log than anybody before. */
  readonly onSigned: (log: string, size: number, signer: VerifierKey) => void;
  readonly onError: (error: unknown) => void;
}

/** How much of each log is signed, by whichever replica: follows the topic of checkpoints. */
export class SignedHeads {
  readonly #sizes = new Map<string, number>();
  #consumption: Consumption | undefined;

  constructor(private readonly options: SignedHeadsOptions) {}

  /** Events that the newest checkpoint covers; -1 without one. */
  size(log: string): number {
    return this.#sizes.get(log) ?? -1;
  }

  /** First what comes, then what is there: nothing falls in between. */
  async start(): Promise<void> {
    const { bus, logs, keys, onError } = this.options;
    this.#consumption = await bus.consume({
      topic: TOPICS.checkpoints,
      start: { at: 'latest' },
      onBatch: async (batch) => {
        for (const record of batch) {
          const log = logs.find((name) => name === record.key);
          const found = log === undefined ? undefined : published(record, log, keys());
          if (log !== undefined && found) this.#put(log, found.checkpoint.size, found.signer);
        }
      },
      onError,
    });
    for (const log of logs) {
      const found = await findPublished(bus, log, keys());
      if (found) this.#put(log, found.checkpoint.size, found.signer);
    }
  }

  async close(): Promise<void> {
    await this.#consumption?.close();
    this.#consumption = undefined;
  }

  #put(log: string, size: number, signer: VerifierKey): void {
    if (size <= this.size(log)) return;
    this.#sizes.set(log, size);
    this.options.onSigned(log, size, signer);
  }
}
