import type { SigningKey } from '@sallyport/events';
import { signCheckpoint } from './checkpoint.js';
import type { TreeHead } from './checkpoint.js';
import { LedgerError } from './ledger-error.js';
import { TreeBuilder } from './tree/builder.js';
import type { Frontier } from './tree/builder.js';

export interface CheckpointerOptions {
  /** The log's name: {@link logName}. */
  readonly log: string;
  /** `ledger/NAME`. */
  readonly key: SigningKey;
  /** A checkpoint at the latest after this many new events. */
  readonly everyEvents?: number;
  /** A checkpoint at the latest this long after the first event that none covers. */
  readonly everyMs?: number;
}

export const CHECKPOINT_EVERY_EVENTS = 1000;
export const CHECKPOINT_EVERY_MS = 1000;

export interface Checkpoint extends TreeHead {
  /** To publish, as it is. */
  readonly note: string;
}

/**
 * Decides when a log's tree head is signed. No clock and no I/O: the caller tells it what was appended and when, and publishes what
 * comes back. It starts from a saved frontier, or from nothing and reads the log anew; either way it signs nothing that
 * contradicts `published`, the newest checkpoint that is out: a log that was altered gets no new signature.
 */
export class Checkpointer {
  readonly #tree: TreeBuilder;
  readonly #log: string;
  readonly #key: SigningKey;
  readonly #everyEvents: number;
  readonly #everyMs: number;
  #signedSize: number;
  #published: TreeHead | undefined;
  #waitingSinceMs: number | undefined;

  /** Throws `LEDGER_DIVERGED` when the frontier contradicts what is published, `LEDGER_FRONTIER`. */
  constructor(options: CheckpointerOptions, start: { readonly frontier?: Frontier; readonly published?: TreeHead } = {}) {
    this.#log = options.log;
    this.#key = options.key;
    this.#everyEvents = options.everyEvents ?? CHECKPOINT_EVERY_EVENTS;
    this.#everyMs = options.everyMs ?? CHECKPOINT_EVERY_MS;
    this.#tree = new TreeBuilder(start.frontier);
    this.#signedSize = start.published?.size ?? -1;
    this.#published = this.#tree.size > this.#signedSize ? undefined : start.published;
    this.#checkPublished();
  }

  /** To be saved together with the log offset up to which it was made. */
  get frontier(): Frontier {
    return this.#tree.frontier();
  }

  /** Events that are signed for and not read yet. Still above 0 when the log has been read to its end: the log was cut. */
  get missing(): number {
    return Math.max(0, this.#signedSize - this.#tree.size);
  }

  /** When the next checkpoint is due; undefined while there is nothing to sign. */
  get dueAtMs(): number | undefined {
    return this.#waitingSinceMs === undefined ? undefined : this.#waitingSinceMs + this.#everyMs;
  }

  /** The next event's bytes, in log order. Throws `LEDGER_DIVERGED` when the log is not the one that was signed. */
  append(bytes: Uint8Array, nowMs: number): Checkpoint | undefined {
    this.#tree.append(bytes);
    this.#checkPublished();
    if (this.#tree.size <= this.#signedSize) return undefined;
    this.#waitingSinceMs ??= nowMs;
    return this.#tree.size - Math.max(this.#signedSize, 0) >= this.#everyEvents ? this.finish() : this.tick(nowMs);
  }

  /** A checkpoint if one is due by the clock. */
  tick(nowMs: number): Checkpoint | undefined {
    return this.dueAtMs !== undefined && nowMs >= this.dueAtMs ? this.finish() : undefined;
  }

  /**
   * A checkpoint of all there is, if none covers it: for the start and for shutdown. A new log's size 0 is signed like every
   * other, so that a log that was emptied can be told from one that never was.
   */
  finish(): Checkpoint | undefined {
    if (this.#tree.size <= this.#signedSize) return undefined;
    const head = { log: this.#log, size: this.#tree.size, root: this.#tree.root() };
    this.#signedSize = head.size;
    this.#waitingSinceMs = undefined;
    return { ...head, note: signCheckpoint(head, this.#key) };
  }

  #checkPublished(): void {
    const published = this.#published;
    if (!published || this.#tree.size < published.size) return;
    if (this.#tree.size > published.size || !this.#tree.root().equals(published.root)) {
      throw new LedgerError('LEDGER_DIVERGED', `${this.#log} is not the log that was signed at ${published.size} events`);
    }
    this.#published = undefined;
  }
}
