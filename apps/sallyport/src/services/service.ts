import type { MetricSource } from '@sallyport/adapter-metrics';
import type { Logger } from 'pino';

/** One service that runs: in a process of its own, or in a thread of `up`. */
export interface Service {
  /** Name → `host:port`. */
  readonly listeners: Readonly<Record<string, string>>;
  metrics: MetricSource;
  /** Why it can't do its work now; empty when it can. */
  notReady(): readonly string[] | Promise<readonly string[]>;
  /** Takes nothing new, ends what runs, and lets go of everything. The bus stays open. */
  close(): Promise<void>;
}

/** Things to stop, in the reverse order of their start. */
export class Stops {
  readonly #stops: (() => Promise<unknown> | void)[] = [];

  constructor(private readonly onFailure: (error: unknown) => void) {}

  push(stop: () => Promise<unknown> | void): void {
    this.#stops.push(stop);
  }

  /** Every one is stopped, also when one before it fails. */
  async run(): Promise<void> {
    for (const stop of this.#stops.splice(0).reverse()) {
      try {
        await stop();
      } catch (error) {
        this.onFailure(error);
      }
    }
  }
}

/** Starts something part by part; when one doesn't start, those before it are stopped. */
export async function partByPart<T>(log: Pick<Logger, 'warn'>, start: (stops: Stops) => Promise<T>): Promise<T> {
  const stops = new Stops((error) => log.warn({ err: error }, 'a part did not stop cleanly'));
  try {
    return await start(stops);
  } catch (error) {
    await stops.run();
    throw error;
  }
}
