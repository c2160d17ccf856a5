import { type Bus, type BusRecord, type Consumption, TOPICS } from '@sallyport/bus';
import { type Envelope, EventError, Joiner, parseEnvelope } from '@sallyport/events';
import type { Log } from '../http/request.js';

export type FeedListener = (event: Envelope, bytes: Buffer) => void;

/** What happens in sessions, as it reaches the log: one reader of the bus, however many listen. */
export class LiveFeed {
  readonly #listeners = new Set<FeedListener>();
  readonly #joiners = new Map<number, Joiner>();
  #consumption: Consumption | undefined;

  private constructor(private readonly log: Log) {}

  static async open(bus: Bus, log: Log): Promise<LiveFeed> {
    const feed = new LiveFeed(log);
    feed.#consumption = await bus.consume({
      topic: TOPICS.sessions,
      start: { at: 'latest' },
      onBatch: async (records) => records.forEach((record) => feed.#take(record)),
      onError: (error) => log.error({ err: error }, 'the live feed can not be followed'),
    });
    return feed;
  }

  /** Returns how to stop. Listeners must not block; what they throw is logged. */
  listen(listener: FeedListener): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  async close(): Promise<void> {
    this.#listeners.clear();
    await this.#consumption?.close();
  }

  #take(record: BusRecord): void {
    // Chunks are joined even while nobody listens: who comes in the middle of an event gets it whole.
    const bytes = this.#joined(record);
    if (!bytes || this.#listeners.size === 0) return;
    let event: Envelope;
    try {
      event = parseEnvelope(bytes);
    } catch (error) {
      return this.log.error({ err: error, offset: record.offset.toString() }, 'an event can not be read');
    }
    for (const listener of this.#listeners) {
      try {
        listener(event, bytes);
      } catch (error) {
        this.log.error({ err: error }, 'a live stream failed');
      }
    }
  }

  #joined(record: BusRecord): Buffer | undefined {
    const joiner = this.#joiners.get(record.partition) ?? new Joiner();
    this.#joiners.set(record.partition, joiner);
    try {
      return joiner.push(record)?.bytes;
    } catch (error) {
      if (!(error instanceof EventError)) throw error;
      this.log.error({ err: error, offset: record.offset.toString() }, 'an event in pieces can not be joined');
      return undefined;
    }
  }
}
