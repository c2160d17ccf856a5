import { type Bus, TOPICS } from '@sallyport/bus';
import { type SessionEventType, SessionStream, type SigningKey } from '@sallyport/events';
import { type Disk, type Journal, type JournalRecord, openJournal } from '@sallyport/journal';
import { type Durability, RecordLate, type Spool, type SpoolEntry } from '@sallyport/session';
import { vouch } from '@sallyport/trust';
import type { Log } from './log.js';
import { OpenTable } from './open-table.js';

export interface SpoolLimits {
  /** Of events that aren't on the bus yet; at the limit the edge refuses. */
  readonly spoolMaxBytes: number;
  readonly spoolMaxAgeMs: number;
  /** How far the bus may be behind for what has to be strict. */
  readonly busMaxLagMs: number;
  /** The part of `spoolMaxBytes` that is kept for how things ended. */
  readonly spoolReserveBytes: number;
  /** Of one event. */
  readonly recordMaxBytes: number;
}

export interface SpoolOptions {
  readonly directory: string;
  readonly signingKey: SigningKey;
  readonly bus: Bus;
  readonly log: Log;
  readonly nowMs: () => number;
  readonly limits: SpoolLimits;
  /** Seconds from appending to durability, for the figures. */
  readonly recorded: (seconds: number) => void;
  /** Called once, when the disk lost records that sessions had gone on from: the edge has to end (docs/adr/0005). */
  readonly lost: (error: Error) => void;
  /** Of one file of the journal. */
  readonly segmentBytes?: number;
  readonly disk?: Disk;
}

/**
 * The edge's own journal between it and the bus (P1): takes the record at once, makes it durable in groups, and hands it on in
 * order. What an edge that was killed left open is closed as aborted when the spool is opened again.
 */
export class EdgeSpool implements Spool {
  readonly #stop = new AbortController();
  #published = -1n;
  #waiting: { readonly offset: bigint; readonly resolve: () => void }[] = [];
  #publishing: Promise<void> | undefined;
  #lost: Error | undefined;
  #goOn: (() => void) | undefined;
  #syncTimer: NodeJS.Timeout | undefined;

  private constructor(
    private readonly journal: Journal,
    private readonly open: OpenTable,
    private readonly options: SpoolOptions,
  ) {}

  /** Opens, recovers, closes what was left open, and starts publishing. */
  static async open(options: SpoolOptions): Promise<EdgeSpool> {
    const { spoolMaxBytes, spoolMaxAgeMs, spoolReserveBytes, recordMaxBytes } = options.limits;
    let table = new OpenTable();
    const journal = await openJournal(
      {
        directory: options.directory,
        maxBytes: spoolMaxBytes,
        maxAgeMs: spoolMaxAgeMs,
        reserveBytes: spoolReserveBytes,
        maxRecordBytes: recordMaxBytes,
        segmentHead: () => table.save(),
        ...(options.segmentBytes === undefined ? {} : { segmentBytes: options.segmentBytes }),
      },
      options.disk,
    );
    table = OpenTable.from(journal.recovered.head);
    for (let at = journal.recovered.headOffset; ;) {
      const records = await journal.read(at < journal.firstOffset ? journal.firstOffset : at);
      if (records.length === 0) break;
      for (const record of records) table.apply(entryOf(record));
      at = records.at(-1)!.offset + 1n;
    }
    const spool = new EdgeSpool(journal, table, options);
    await spool.#abortLeftOpen();
    journal.onFailure(({ error, from, to }) => {
      if (to > from) spool.#lose(error);
    });
    spool.#published = journal.forgottenBefore - 1n;
    spool.#publishing = spool.#publish();
    return spool;
  }

  append(entry: SpoolEntry): bigint {
    // What followed a lost record would have a gap before it.
    if (this.#lost) throw this.#lost;
    const outcome = entry.purpose === 'outcome';
    if (!outcome && entry.mode !== 'buffered' && this.#behind) throw new RecordLate(this.#behind);
    const unsynced = outcome || entry.durability === 'process';
    const offset = this.journal.append(
      { key: entry.session, value: entry.bytes, timestampMs: this.options.nowMs() },
      // Nothing waits for how something ended: the next intent's write takes it along.
      { useReserve: outcome, durability: unsynced ? 'process' : 'disk', gather: outcome },
    );
    if (unsynced) this.#syncTimer ??= setTimeout(() => this.#syncForTheBus(), PUBLISH_PAUSE_MS);
    this.open.apply(entry);
    return offset;
  }

  isDurable(offset: bigint, durability: Durability): boolean {
    return durability === 'replicated' ? offset <= this.#published : this.journal.isDurable(offset, durability);
  }

  async durable(offset: bigint, durability: Durability): Promise<void> {
    const started = process.hrtime.bigint();
    await (durability === 'replicated' ? this.#replicated(offset) : this.journal.durable(offset, durability));
    this.options.recorded(Number(process.hrtime.bigint() - started) / 1e9);
  }

  /** Why no new session can be taken right now. */
  get failure(): string | undefined {
    const { spoolMaxBytes, spoolReserveBytes } = this.options.limits;
    return (
      this.#lost?.message ?? this.journal.refusalOf(Math.min(ROOM_TO_BEGIN_BYTES, Math.floor((spoolMaxBytes - spoolReserveBytes) / 4)))
    );
  }

  /** Why strict resources are refused right now. */
  get behind(): string | undefined {
    return this.#behind;
  }

  get #behind(): string | undefined {
    const { busMaxLagMs } = this.options.limits;
    return this.journal.ageMs > busMaxLagMs ? `the bus has not taken the record for more than ${busMaxLagMs} ms` : undefined;
  }

  get bytes(): number {
    return this.journal.usedBytes;
  }

  get oldestSeconds(): number {
    return this.journal.ageMs / 1000;
  }

  /** Publishes what it can within the time, then closes; the rest is published at the next start. */
  async close(timeoutMs: number): Promise<void> {
    const deadline = Date.now() + timeoutMs;
    while (this.#published < this.journal.nextOffset - 1n && Date.now() < deadline && !this.#lost && !this.journal.failure) {
      await this.journal.synced(this.journal.nextOffset - 1n).catch(() => undefined);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    this.#stop.abort();
    this.#goOn?.();
    clearTimeout(this.#syncTimer);
    await this.#publishing;
    await this.journal.close();
  }

  /** Only what is synced is published, and nobody else may ask for it soon. */
  #syncForTheBus(): void {
    this.#syncTimer = undefined;
    // Who loses records is told by the journal.
    this.journal.synced(this.journal.nextOffset - 1n).catch(() => undefined);
  }

  #lose(error: Error): void {
    if (this.#lost) return;
    this.#lost = error;
    this.options.lost(error);
  }

  async #abortLeftOpen(): Promise<void> {
    for (const left of this.open.list()) {
      const stream = new SessionStream(left, this.options.signingKey, left);
      stream.abort({ reason: 'killed', unfinished: left.unfinished }, this.options.nowMs(), (bytes) => {
        this.append({ session: left.session, type: 'session.aborted', bytes, purpose: 'outcome' });
      });
    }
    const last = this.journal.nextOffset - 1n;
    if (last >= 0n) await this.journal.synced(last);
  }

  async #publish(): Promise<void> {
    const { bus, log, signingKey } = this.options;
    for (let pauseMs = FIRST_RETRY_MS; !this.#stop.signal.aborted;) {
      try {
        for await (const records of this.journal.follow(this.#published + 1n, { signal: this.#stop.signal, maxRecords: PUBLISH_RECORDS })) {
          await bus.produce(
            TOPICS.sessions,
            records.map(({ key, value, timestampMs }) => vouch(signingKey, { key, value, timestampMs })),
          );
          this.#published = records.at(-1)!.offset;
          this.#release();
          pauseMs = FIRST_RETRY_MS;
          await this.journal.forgetBefore(this.#published + 1n);
          if (records.length < PUBLISH_RECORDS) await this.#pause();
        }
        return;
      } catch (error) {
        if (this.#stop.signal.aborted) return;
        log.warn({ err: error, retryMs: pauseMs }, 'the bus takes no records; they wait in the spool');
        await new Promise((resolve) => setTimeout(resolve, pauseMs).unref());
        pauseMs = Math.min(pauseMs * 2, LAST_RETRY_MS);
      }
    }
  }

  /** Lets records gather: each batch costs a read of the log and a sync of the bus, however small it is. */
  async #pause(): Promise<void> {
    if (this.#waiting.length > 0 || this.#stop.signal.aborted) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, PUBLISH_PAUSE_MS);
      this.#goOn = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#goOn = undefined;
  }

  #replicated(offset: bigint): Promise<void> {
    if (offset <= this.#published) return Promise.resolve();
    this.#goOn?.();
    const { busMaxLagMs } = this.options.limits;
    return new Promise((resolve, reject) => {
      const late = (): void => {
        this.#waiting = this.#waiting.filter((one) => one !== waiting);
        reject(new RecordLate(`the bus has not taken the record within ${busMaxLagMs} ms`));
      };
      const timer = setTimeout(late, busMaxLagMs);
      const waiting = {
        offset,
        resolve: () => {
          clearTimeout(timer);
          resolve();
        },
      };
      this.#waiting.push(waiting);
    });
  }

  #release(): void {
    this.#waiting = this.#waiting.filter(({ offset, resolve }) => {
      if (offset > this.#published) return true;
      resolve();
      return false;
    });
  }
}

function entryOf({ key, value }: JournalRecord): Omit<SpoolEntry, 'purpose' | 'durability'> {
  const { type, data } = JSON.parse(value.toString()) as { type: SessionEventType; data: { operation?: number } };
  return { session: key ?? '', type, bytes: value, ...(data.operation === undefined ? {} : { operation: data.operation }) };
}

/** A session that begins should be able to do something: its first events and a statement that is kept whole. */
const ROOM_TO_BEGIN_BYTES = 256 * 1024;
const PUBLISH_RECORDS = 500;
/** How much later than it could a record may reach the bus, when nothing waits for that. */
const PUBLISH_PAUSE_MS = 10;
const FIRST_RETRY_MS = 50;
const LAST_RETRY_MS = 5000;
