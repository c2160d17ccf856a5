import type { BusRecord } from '@sallyport/bus';
import type { Cluster } from '../cluster.js';
import { asBusError, KafkaFault } from '../faults.js';
import type { Link } from '../link.js';
import { linkedTo, Pauses, unlessAborted } from '../pauses.js';
import { fetchBatches } from '../wire/fetch.js';
import { EARLIEST, offsetAt } from '../wire/offsets.js';

export interface ReaderOptions {
  readonly topic: string;
  readonly partition: number;
  /** Where to begin, or who tells: asked again until there is an answer. */
  readonly position: bigint | (() => Promise<bigint>);
  readonly maxBatchRecords: number;
  /** What was forgotten before it was read: passed over (requests and replies), or an error until somebody acts (the record). */
  readonly mayForget: boolean;
  /** `next` is behind the last record. */
  onBatch(batch: readonly BusRecord[], next: bigint): Promise<void>;
  onError(error: unknown): void;
}

/** A broker that restarts is no news; one that stays away is. */
const FAILURES_UNTOLD = 3;
const HANDLER_LONGEST_PAUSE_MS = 5000;

/**
 * Delivers one partition to one handler, a batch at a time, each until it succeeds. Has a connection of its own, because a broker answers one
 * request of a connection after the other, and a fetch waits there for what is new: so no partition waits for another one.
 */
export class PartitionReader {
  readonly #stopping: AbortController;
  readonly #running: Promise<void>;
  #link: Link | undefined;
  #delivering = false;
  #position: bigint;
  #locate: (() => Promise<bigint>) | undefined;

  constructor(
    private readonly cluster: Cluster,
    private readonly options: ReaderOptions,
  ) {
    this.#position = typeof options.position === 'bigint' ? options.position : 0n;
    this.#locate = typeof options.position === 'bigint' ? undefined : options.position;
    this.#stopping = linkedTo(cluster.signal);
    this.#running = this.#run();
  }

  get #signal(): AbortSignal {
    return this.#stopping.signal;
  }

  /** Waits for the batch that is with the handler. A batch that failed is not tried again. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    if (!this.#delivering) this.#link?.close();
    await this.#running;
  }

  async #run(): Promise<void> {
    const pauses = new Pauses(this.#signal);
    let failures = 0;
    await this.#stand();
    while (!this.#signal.aborted) {
      try {
        const { records, next, unreadable } = await this.#fetch();
        failures = 0;
        pauses.reset();
        for (const fault of unreadable) this.options.onError(asBusError(fault));
        await this.#deliver(records);
        // Compaction leaves gaps.
        if (next !== undefined && next > this.#position && !this.#signal.aborted) this.#position = next;
      } catch (error) {
        this.#link?.close();
        if (this.#signal.aborted) break;
        if (await this.#passedOver(error)) continue;
        this.cluster.forget(this.options.topic);
        failures += 1;
        if (!(error instanceof KafkaFault && error.passes) || failures > FAILURES_UNTOLD) this.options.onError(asBusError(error));
        await pauses.wait();
      }
    }
    this.#link?.close();
  }

  /** Until its owner can say where. */
  async #stand(): Promise<void> {
    const pauses = new Pauses(this.#signal, HANDLER_LONGEST_PAUSE_MS);
    while (this.#locate && !this.#signal.aborted) {
      try {
        this.#position = await this.#locate();
        this.#locate = undefined;
      } catch (error) {
        this.options.onError(error);
        await pauses.wait();
      }
    }
  }

  async #fetch(): ReturnType<typeof fetchBatches> {
    const { topic, partition } = this.options;
    const { fetchWaitMs, maxBatchBytes, requestTimeoutMs } = this.cluster.settings.limits;
    this.#link = this.#link?.isOpen ? this.#link : await unlessAborted(this.#signal, this.#open());
    const from = { topic, partition, offset: this.#position, maxBytes: maxBatchBytes, waitMs: fetchWaitMs };
    return fetchBatches(this.#link, from, requestTimeoutMs);
  }

  async #open(): Promise<Link> {
    const { topic, partition } = this.options;
    const link = await this.cluster.open(await this.cluster.leader(topic, partition));
    // Stopped meanwhile: nobody else closes it.
    if (this.#signal.aborted) link.close();
    return link;
  }

  async #deliver(records: readonly BusRecord[]): Promise<void> {
    const { maxBatchRecords, onBatch, onError } = this.options;
    for (let at = 0; at < records.length && !this.#signal.aborted; at += maxBatchRecords) {
      const batch = records.slice(at, at + maxBatchRecords);
      const next = batch.at(-1)!.offset + 1n;
      const pauses = new Pauses(this.#signal, HANDLER_LONGEST_PAUSE_MS);
      for (;;) {
        this.#delivering = true;
        try {
          await onBatch(batch, next);
          this.#position = next;
          break;
        } catch (error) {
          onError(error);
        } finally {
          this.#delivering = false;
        }
        await pauses.wait();
        if (this.#signal.aborted) return;
      }
    }
  }

  /** Goes on at the oldest record that is there, where that is allowed. */
  async #passedOver(error: unknown): Promise<boolean> {
    const { topic, partition, mayForget } = this.options;
    if (!mayForget || !(error instanceof KafkaFault) || error.code !== 'OFFSET_OUT_OF_RANGE') return false;
    try {
      this.#position = await unlessAborted(this.#signal, offsetAt(this.cluster, topic, partition, EARLIEST));
      return true;
    } catch {
      return false;
    }
  }
}
