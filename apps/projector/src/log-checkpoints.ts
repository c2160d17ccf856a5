import { TOPICS } from '@sallyport/bus';
import type { Bus, BusRecord } from '@sallyport/bus';
import type { SigningKey, VerifierKey } from '@sallyport/events';
import { Checkpointer, LEDGER_KEY_PREFIX, LedgerError, logName } from '@sallyport/ledger';
import type { Checkpoint, Frontier } from '@sallyport/ledger';
import { Assembler, LOG_START } from './assembler.js';
import type { Place } from './assembler.js';
import { codeOf } from './errors.js';
import type { Log } from './log.js';
import type { ProjectorMetrics } from './metrics.js';
import { checkpointHeaders, findPublished } from './published.js';
import { Turns } from './turns.js';

export interface CheckpointSettings {
  /** `ledger/NAME`. */
  readonly key: SigningKey;
  /** All keys whose checkpoints stand: of other replicas, and former ones. Asked each time, since services come and go. */
  readonly believed?: () => readonly VerifierKey[];
  readonly everyEvents?: number;
  readonly everyMs?: number;
}

export interface CheckpointPorts {
  readonly bus: Bus;
  readonly settings: CheckpointSettings;
  readonly log: Log;
  readonly metrics: ProjectorMetrics;
  readonly clock: () => number;
}

export interface CheckpointStatus {
  readonly log: string;
  /** Events that the newest checkpoint covers; -1 without one. */
  readonly signed: number;
  /** `elsewhere`: another replica signs it. */
  readonly state: 'starting' | 'signing' | 'diverged' | 'elsewhere';
  /** Why it doesn't get on, as a code. */
  readonly failure: string | null;
}

const RETRY_MS = 1000;
const NO_BYTES = Buffer.alloc(0);

/** Signs the tree heads of one partition. All it does, it does in turns: batches, the clock, the end. */
export class LogCheckpoints {
  readonly name: string;
  readonly #turns = new Turns();
  #checkpointer: Checkpointer | undefined;
  #assembler = new Assembler(LOG_START);
  /** The log was this long at the start: having read so far, nothing that was signed may be missing. */
  #end = 0n;
  #due: { readonly checkpoint: Checkpoint; readonly frontier: Frontier; readonly place: Place } | undefined;
  #signed = -1;
  #timer: NodeJS.Timeout | undefined;
  #diverged = false;
  #failure: string | null = null;
  #elsewhere = false;

  constructor(
    topic: string,
    readonly partition: number,
    private readonly ports: CheckpointPorts,
  ) {
    this.name = logName(topic, partition);
    this.topic = topic;
  }

  private readonly topic: string;

  get status(): CheckpointStatus {
    const here = this.#checkpointer ? 'signing' : 'starting';
    const state = this.#diverged ? 'diverged' : this.#elsewhere ? 'elsewhere' : here;
    return { log: this.name, signed: this.#signed, state, failure: this.#diverged ? 'LEDGER_DIVERGED' : this.#failure };
  }

  /** Every record before it is in the tree. */
  get next(): bigint {
    return this.#assembler.place.next;
  }

  /**
   * Another replica has signed more of it than this one: it has the partition, if no more records come here. What is to be signed here
   * still is a beginning of the same log, and does no harm.
   */
  signedElsewhere(size: number): void {
    if (size <= this.#signed) return;
    this.#elsewhere = true;
    this.#failure = null;
  }

  /** Gets ready to go on where the newest checkpoint that is out left off, and returns the offset to read from. */
  start(): Promise<bigint> {
    return this.#turns.take(async () => {
      const { bus, settings } = this.ports;
      this.#due = undefined;
      this.#elsewhere = false;
      this.#diverged = false;
      clearTimeout(this.#timer);
      const published = await findPublished(bus, this.name, ledgerKeys(settings));
      // After the checkpoints, so that none can be of a longer log than this.
      this.#end = (await bus.ends(this.topic)).find(({ partition }) => partition === this.partition)?.next ?? 0n;
      if (published && !published.from) this.ports.log.warn({ log: this.name }, 'the log is read anew to sign on');
      const from = published?.from;
      await this.#guarded(async () => {
        this.#checkpointer = new Checkpointer(
          { ...settings, log: this.name },
          { ...(from ? { frontier: from.frontier } : {}), ...(published ? { published: published.checkpoint } : {}) },
        );
        this.#signed = published?.checkpoint.size ?? -1;
        this.#assembler = new Assembler(from?.place ?? LOG_START);
        if (from && from.place.next > this.#end) throw cut(this.name);
        this.#checkMissing();
        this.#put(this.#checkpointer.finish());
        await this.#publish();
      });
      if (this.#diverged) return this.#end;
      return from?.place.resume ?? 0n;
    });
  }

  /** The next records. Rejects when they, or a checkpoint, have to come again. */
  append(batch: readonly BusRecord[]): Promise<void> {
    return this.#turns.take(() =>
      this.#guarded(async () => {
        this.#elsewhere = false;
        await this.#publish();
        for (const record of batch) {
          const event = this.#assembler.push(record);
          // What is no event takes a leaf's place all the same, an empty one: the reader of a copy sees the same gap there.
          if (event) this.#put(this.#checkpointer?.append(event.problem === undefined ? event.bytes : NO_BYTES, this.ports.clock()));
          if (event) await this.#publish();
        }
        this.#checkMissing();
        this.#schedule();
        this.#failure = null;
      }),
    );
  }

  /** A last checkpoint of all that was read. */
  finish(): Promise<void> {
    return this.#turns.take(async () => {
      clearTimeout(this.#timer);
      await this.#guarded(async () => {
        this.#put(this.#checkpointer?.finish());
        await this.#publish();
      });
    });
  }

  failed(error: unknown): void {
    const code = codeOf(error);
    if (this.#failure !== code) this.ports.log.warn({ log: this.name, code }, 'the log can not be signed now');
    this.#failure = code;
    this.ports.metrics.failed(code);
  }

  /** A log that is not the one that was signed gets no signature any more; everything else is the caller's to try again. */
  async #guarded(work: () => Promise<void>): Promise<void> {
    if (this.#diverged) return;
    try {
      await work();
    } catch (error) {
      if (!(error instanceof LedgerError) || error.code !== 'LEDGER_DIVERGED') throw error;
      this.#diverged = true;
      this.#due = undefined;
      clearTimeout(this.#timer);
      this.ports.metrics.diverged(this.name);
      this.ports.log.error({ log: this.name, code: error.code }, error.message);
    }
  }

  #checkMissing(): void {
    if (this.#checkpointer && this.#checkpointer.missing > 0 && this.next >= this.#end) throw cut(this.name);
  }

  /** The newest one replaces one that is not out yet: it says more. */
  #put(checkpoint: Checkpoint | undefined): void {
    if (!checkpoint || !this.#checkpointer) return;
    this.#due = { checkpoint, frontier: this.#checkpointer.frontier, place: this.#assembler.place };
  }

  async #publish(): Promise<void> {
    if (!this.#due) return;
    const { checkpoint, frontier, place } = this.#due;
    const headers = checkpointHeaders(this.ports.settings.key, { note: checkpoint.note, frontier, place });
    await this.ports.bus.produce(TOPICS.checkpoints, [
      { key: this.name, value: Buffer.from(checkpoint.note), headers, timestampMs: this.ports.clock() },
    ]);
    this.#due = undefined;
    this.#signed = checkpoint.size;
    this.ports.metrics.signed(this.name, checkpoint.size);
  }

  #schedule(pauseMs?: number): void {
    clearTimeout(this.#timer);
    const dueAtMs = this.#checkpointer?.dueAtMs;
    if (dueAtMs === undefined && !this.#due) return;
    const waitMs = pauseMs ?? Math.max(0, (dueAtMs ?? 0) - this.ports.clock());
    this.#timer = setTimeout(() => void this.#tick(), waitMs);
    this.#timer.unref();
  }

  async #tick(): Promise<void> {
    await this.#turns.take(async () => {
      try {
        await this.#guarded(async () => {
          this.#put(this.#checkpointer?.tick(this.ports.clock()));
          await this.#publish();
          this.#failure = null;
          this.#schedule();
        });
      } catch (error) {
        this.failed(error);
        this.#schedule(RETRY_MS);
      }
    });
  }
}

/** Those that sign logs: a key of another role has no say, even if it is given. */
export function ledgerKeys({ key, believed = () => [] }: CheckpointSettings): readonly VerifierKey[] {
  return [key, ...believed()].filter(({ name }) => name.startsWith(LEDGER_KEY_PREFIX));
}

function cut(log: string): LedgerError {
  return new LedgerError('LEDGER_DIVERGED', `${log} ends before what was signed of it: it was cut`);
}
