// Longer than most: it is the one place where limits, waits, reading and forgetting meet the writer's state.
import fs from 'node:fs/promises';
import { type Disk, DIRECTORY_MODE, realDisk } from './disk.js';
import { HEADERS_MAX_BYTES, type JournalEntry, type JournalRecord, KEY_MAX_BYTES, measure } from './frame.js';
import { type ForgottenMark, readForgotten } from './forgotten.js';
import { GroupWriter } from './group-writer.js';
import { JournalError } from './journal-error.js';
import { type DirectoryLock, lockDirectory } from './lock.js';
import { type JournalOptions, type JournalSettings, settle } from './options.js';
import { locate, readSegment } from './reader.js';
import { type CutTail, dropCleanMark, leaveCleanMark, recoverSegments } from './recover.js';
import { type Segment, segmentFor } from './segments.js';
import { Waits } from './waits.js';

/** `process` survives the death of this process, `disk` that of the machine. */
export type JournalDurability = 'process' | 'disk';

export interface AppendOptions {
  /** `process`: don't sync for these records' sake; they are synced within `syncIntervalMs`. Default `disk`. */
  readonly durability?: JournalDurability;
  /** The next write may take the records along, within `gatherMs`, or sooner when somebody waits for them: a write saved is a sync saved. */
  readonly gather?: boolean;
  /** May use the last `reserveBytes`: for what must still be told when nothing new may begin. */
  readonly useReserve?: boolean;
}

export interface ReadOptions {
  readonly maxRecords?: number;
  /** Of frames. One record is returned even when it alone is larger. */
  readonly maxBytes?: number;
  /** `written` shows records that a failing disk may still take back. Default `synced`. */
  readonly upTo?: 'written' | 'synced';
}

export interface FollowOptions extends ReadOptions {
  readonly signal?: AbortSignal;
}

export interface JournalRecovered {
  /** What `segmentHead` supplied when the last segment began; empty for a new journal. */
  readonly head: Buffer;
  /** The state in `head` covers everything before it: read from here on to have the rest. */
  readonly headOffset: bigint;
  readonly cut: CutTail | undefined;
}

export interface FailureNotice {
  readonly error: JournalError;
  /** Records `[from, to)` are lost; empty when only a sync failed. */
  readonly from: bigint;
  readonly to: bigint;
}

const READ_MAX_RECORDS = 1000;
const READ_MAX_BYTES = 2 ** 20;

/** Opens, recovers and locks the directory. Throws `JOURNAL_LOCKED`, `JOURNAL_CORRUPT`, `JOURNAL_OPTION`, `JOURNAL_WRITE_FAILED`. */
export async function openJournal(options: JournalOptions, disk: Disk = realDisk): Promise<Journal> {
  const settings = settle(options);
  await fs.mkdir(settings.directory, { recursive: true, mode: DIRECTORY_MODE });
  const lock = await lockDirectory(settings.directory);
  try {
    const { segments, cut } = await recoverSegments(settings.directory, settings.scan, disk);
    await dropCleanMark(settings.directory, disk);
    const forgotten = await readForgotten(settings.directory, segments[0]?.base ?? 0, segments.at(-1)?.end ?? 0, disk);
    const tail = segments.at(-1);
    const recovered = { head: tail?.head ?? Buffer.alloc(0), headOffset: BigInt(tail?.base ?? 0), cut };
    const journal = new Journal(settings, { disk, lock, segments, forgotten }, recovered);
    await journal.start();
    return journal;
  } catch (error) {
    await lock.release();
    if (error instanceof JournalError) throw error;
    throw new JournalError('JOURNAL_WRITE_FAILED', `${settings.directory} can't be opened for writing`, { cause: error });
  }
}

interface JournalParts {
  readonly disk: Disk;
  readonly lock: DirectoryLock;
  readonly segments: Segment[];
  readonly forgotten: ForgottenMark;
}

/** An append-only log in one directory, with one writer. Offsets count records from 0. See FORMAT.md. */
export class Journal {
  readonly #writer: GroupWriter;
  readonly #writtenWaits = new Waits();
  readonly #syncedWaits = new Waits();
  readonly #lost: { readonly from: number; readonly to: number }[] = [];
  readonly #durableListeners = new Set<() => void>();
  readonly #failureListeners = new Set<(notice: FailureNotice) => void>();
  readonly #segments: Segment[];
  #oldestMs = Infinity;
  #closed: Promise<void> | undefined;

  /** Use {@link openJournal}. */
  constructor(
    private readonly settings: JournalSettings,
    private readonly parts: JournalParts,
    /** What opening found. */
    readonly recovered: JournalRecovered,
  ) {
    this.#segments = parts.segments;
    this.#writer = new GroupWriter(settings, parts.disk, parts.segments, {
      writeWanted: (offset) => this.#writtenWaits.lowest <= offset,
      syncWanted: (offset) => this.#syncedWaits.size > 0 && this.#syncedWaits.lowest <= offset,
      progress: () => this.#progress(),
      failed: (error, from, to) => this.#failed(error, from, to),
      recovered: () => this.#tell(this.#durableListeners, undefined),
    });
  }

  /** @internal */
  async start(): Promise<void> {
    await this.#measureUse();
    await this.#writer.start();
  }

  /** The oldest offset that can be read. */
  get firstOffset(): bigint {
    return BigInt(this.#segments[0]?.base ?? 0);
  }

  /** Where the last segment begins: its head covers everything before. */
  get lastSegmentOffset(): bigint {
    return BigInt(this.#segments.at(-1)?.base ?? 0);
  }

  /** The offset that the next record gets. */
  get nextOffset(): bigint {
    return BigInt(this.#writer.next);
  }

  /** The last offset that survives this process; -1 when none does. Passes over lost offsets: use `isDurable` after a failure. */
  get writtenOffset(): bigint {
    return BigInt(this.#writer.written);
  }

  /** The last offset that is synced; -1 when none is. Passes over lost offsets: use `isDurable` after a failure. */
  get syncedOffset(): bigint {
    return BigInt(this.#writer.synced);
  }

  /** Everything before it may go. */
  get forgottenBefore(): bigint {
    return BigInt(this.parts.forgotten.before);
  }

  /** Of what is not forgotten. */
  get usedBytes(): number {
    const tail = this.#segments.at(-1);
    return (tail ? endBytes(tail) : 0) - this.#forgottenBytes + this.#writer.pendingBytes;
  }

  /** Of the oldest record that is not forgotten; 0 when there is none. */
  get ageMs(): number {
    return Math.max(0, this.settings.now() - Math.min(this.#oldestMs, this.settings.now()));
  }

  /** The failure that appends are refused for now, if any. */
  get failure(): JournalError | undefined {
    return this.#writer.failure;
  }

  /** Why an append of this size without the reserve would be refused right now; undefined when it would be taken. */
  refusalOf(bytes: number): string | undefined {
    const lacking = this.#lacksRoom(bytes, false);
    return this.failure?.message ?? (lacking === undefined ? undefined : `the journal is full: ${lacking}`);
  }

  /**
   * Takes all of the records or none, and returns the offset of the last; they stand in order, one behind the other.
   * Throws `JOURNAL_FULL`, `JOURNAL_RECORD_TOO_LARGE`, `JOURNAL_WRITE_FAILED`, `JOURNAL_CLOSED`.
   */
  append(records: JournalEntry | readonly JournalEntry[], options: AppendOptions = {}): bigint {
    if (this.#closed) throw new JournalError('JOURNAL_CLOSED', 'the journal is closed');
    if (this.#writer.failure) throw new JournalError('JOURNAL_WRITE_FAILED', this.#writer.failure.message, { cause: this.#writer.failure });
    const measured = (Array.isArray(records) ? (records as readonly JournalEntry[]) : [records as JournalEntry]).map(measure);
    let bytes = 0;
    for (const one of measured) {
      const { keyBytes, headers } = one;
      if (one.bytes > this.settings.maxRecordBytes || keyBytes > KEY_MAX_BYTES || (headers?.length ?? 0) > HEADERS_MAX_BYTES) {
        throw new JournalError('JOURNAL_RECORD_TOO_LARGE', `a record of ${one.bytes} bytes is larger than a journal record may be`);
      }
      bytes += one.bytes;
    }
    const lacking = this.#lacksRoom(bytes, options.useReserve === true);
    if (lacking !== undefined) throw new JournalError('JOURNAL_FULL', `the journal is full: ${lacking}`);
    const wasEmpty = this.usedBytes === 0;
    if (measured.length > 0)
      this.#writer.push(measured, bytes, { sync: options.durability !== 'process', gather: options.gather === true });
    if (wasEmpty && bytes > 0) this.#oldestMs = measured[0]!.entry.timestampMs ?? this.settings.now();
    return BigInt(this.#writer.next - 1);
  }

  /** True when the record is at least that durable. Never true for a lost one. */
  isDurable(offset: bigint, durability: JournalDurability = 'disk'): boolean {
    const through = durability === 'disk' ? this.#writer.synced : this.#writer.written;
    return offset <= through && !this.#isLost(Number(offset));
  }

  /** Resolves when write(2) has returned for the record. Rejects with `JOURNAL_WRITE_FAILED` when it is lost. */
  written(offset: bigint): Promise<void> {
    const wait = this.#wait(this.#writtenWaits, offset, 'process');
    this.#writer.poke();
    return wait;
  }

  /** Resolves when the record is synced. Rejects with `JOURNAL_WRITE_FAILED` when it is lost or the sync failed. */
  synced(offset: bigint): Promise<void> {
    const wait = this.#wait(this.#syncedWaits, offset, 'disk');
    this.#writer.poke();
    return wait;
  }

  durable(offset: bigint, durability: JournalDurability = 'disk'): Promise<void> {
    return durability === 'disk' ? this.synced(offset) : this.written(offset);
  }

  /** Called after each group, and when a failure is over. Returns how to stop. */
  onDurable(listener: () => void): () => void {
    this.#durableListeners.add(listener);
    return () => this.#durableListeners.delete(listener);
  }

  /** Called when records are lost, before their waits reject. Returns how to stop. */
  onFailure(listener: (notice: FailureNotice) => void): () => void {
    this.#failureListeners.add(listener);
    return () => this.#failureListeners.delete(listener);
  }

  /**
   * Records from `from` on, in order; an empty list at the end. Lost offsets are passed over.
   * Throws `JOURNAL_FORGOTTEN` before the oldest segment, `JOURNAL_CORRUPT`.
   */
  async read(from: bigint, options: ReadOptions = {}): Promise<JournalRecord[]> {
    if (from < this.firstOffset)
      throw new JournalError('JOURNAL_FORGOTTEN', `offset ${from} is forgotten; the oldest is ${this.firstOffset}`, { offset: from });
    const before = (options.upTo === 'written' ? this.#writer.written : this.#writer.synced) + 1;
    const maxRecords = options.maxRecords ?? READ_MAX_RECORDS;
    const maxBytes = options.maxBytes ?? READ_MAX_BYTES;
    let at = Number(from);
    while (at < before) {
      const segment = segmentFor(this.#segments, at);
      if (!segment) return [];
      at = Math.max(at, segment.base);
      const records = await readSegment(segment, at, { maxRecords, maxBytes, before }, this.parts.disk);
      if (records.length > 0) return records;
      at = segment.end;
    }
    return [];
  }

  /** Batches from `from` on, as they become readable, until the signal aborts or the journal closes. */
  async *follow(from: bigint, options: FollowOptions = {}): AsyncGenerator<readonly JournalRecord[], void, undefined> {
    let at = from;
    let wake: (() => void) | undefined;
    const stop = this.onDurable(() => wake?.());
    const aborted = (): void => wake?.();
    options.signal?.addEventListener('abort', aborted);
    try {
      while (!options.signal?.aborted) {
        const seen = options.upTo === 'written' ? this.#writer.written : this.#writer.synced;
        const records = await this.read(at, options);
        if (records.length > 0) {
          yield records;
          at = records.at(-1)!.offset + 1n;
          continue;
        }
        if (this.#closed) return;
        await new Promise<void>((resolve) => {
          wake = resolve;
          const now = options.upTo === 'written' ? this.#writer.written : this.#writer.synced;
          if (now > seen || options.signal?.aborted) resolve();
        });
      }
    } finally {
      stop();
      options.signal?.removeEventListener('abort', aborted);
    }
  }

  /** Says that everything before `offset` is no longer needed. Whole segments go at once, and room counts as free exactly. */
  async forgetBefore(offset: bigint): Promise<void> {
    if (this.#closed) throw new JournalError('JOURNAL_CLOSED', 'the journal is closed');
    const before = Math.min(Number(offset), this.#writer.synced + 1);
    if (before <= this.parts.forgotten.before) return;
    await this.parts.forgotten.move(before);
    await this.#measureUse();
    // The last one stays: its header says where the journal goes on.
    while (this.#segments.length > 1 && this.#segments[0]!.end <= before) {
      const [gone] = this.#segments.splice(0, 1);
      await this.parts.disk.unlink(gone!.path);
    }
  }

  /** Writes and syncs what is pending. Afterwards every call is refused with `JOURNAL_CLOSED`. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    // Not before the flag that refuses new records is set.
    await Promise.resolve();
    const { clean } = await this.#writer.close();
    this.#progress();
    const error = new JournalError('JOURNAL_CLOSED', 'the journal closed before the record was durable');
    this.#writtenWaits.rejectFrom(-1, error);
    this.#syncedWaits.rejectFrom(-1, error);
    await this.parts.forgotten.close();
    if (clean) await leaveCleanMark(this.settings.directory, this.#segments.at(-1)?.end ?? 0).catch(() => undefined);
    await this.parts.lock.release().catch(() => undefined);
  }

  /** Why that many bytes can't be taken right now. */
  #lacksRoom(bytes: number, useReserve: boolean): string | undefined {
    const { maxBytes, maxPendingBytes, maxAgeMs } = this.settings;
    const reserveBytes = useReserve ? 0 : this.settings.reserveBytes;
    if (this.#writer.pendingBytes + bytes > maxPendingBytes && this.#writer.pendingBytes > 0)
      return `maxPendingBytes of ${maxPendingBytes}`;
    if (this.usedBytes + bytes > maxBytes - reserveBytes) return `maxBytes of ${maxBytes}${useReserve ? '' : ', less the reserve'}`;
    if (!useReserve && this.ageMs > maxAgeMs) return `the oldest record is older than ${maxAgeMs} ms`;
    if (this.#writer.starved && this.#writer.laidOutBytes - bytes < reserveBytes) return 'the disk has no room for another segment';
    return undefined;
  }

  #wait(waits: Waits, offset: bigint, durability: JournalDurability): Promise<void> {
    if (this.isDurable(offset, durability)) return Promise.resolve();
    if (offset >= this.#writer.next)
      return Promise.reject(new JournalError('JOURNAL_OFFSET', `offset ${offset} has not been given out`, { offset }));
    if (this.#isLost(Number(offset)))
      return Promise.reject(new JournalError('JOURNAL_WRITE_FAILED', `the record at offset ${offset} was lost`, { offset }));
    if (this.#closed) return Promise.reject(new JournalError('JOURNAL_CLOSED', 'the journal is closed'));
    if (this.#writer.failure) return Promise.reject(this.#writer.failure);
    if (waits.size >= this.settings.maxWaits)
      return Promise.reject(new JournalError('JOURNAL_TOO_MANY_WAITS', `more than ${this.settings.maxWaits} waits`));
    return waits.add(Number(offset));
  }

  #isLost(offset: number): boolean {
    return this.#lost.length > 0 && this.#lost.some((range) => offset >= range.from && offset < range.to);
  }

  #progress(): void {
    this.#writtenWaits.resolveThrough(this.#writer.written);
    this.#syncedWaits.resolveThrough(this.#writer.synced);
    this.#tell(this.#durableListeners, undefined);
  }

  #failed(error: JournalError, from: number, to: number): void {
    if (to > from && !this.settings.denseOffsets) this.#lose(from, to);
    const notice = { error, from: BigInt(from), to: BigInt(to) };
    this.#tell(this.#failureListeners, notice);
    this.#writtenWaits.rejectFrom(from, error);
    this.#syncedWaits.rejectFrom(this.#writer.synced + 1, error);
    if (this.usedBytes === 0) this.#oldestMs = Infinity;
  }

  /** Losses next to each other (nothing was written between) are one, so the list stays as short as the failures are rare. */
  #lose(from: number, to: number): void {
    const last = this.#lost.at(-1);
    if (last && last.to === from) this.#lost.splice(-1, 1, { from: last.from, to });
    else this.#lost.push({ from, to });
  }

  #tell<T>(listeners: ReadonlySet<(value: T) => void>, value: T): void {
    for (const listener of listeners) {
      try {
        listener(value);
      } catch (error) {
        // A listener's mistake is not the disk's: it must not fail the group.
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }

  /** Frame bytes up to the first record that is not forgotten, on the running count of all segments. */
  #forgottenBytes = 0;

  async #measureUse(): Promise<void> {
    const before = this.parts.forgotten.before;
    const segment = segmentFor(this.#segments, before);
    const place = segment && (await locate(segment, Math.max(before, segment.base), this.parts.disk));
    if (segment && place) {
      this.#forgottenBytes = segment.bytesBefore + place.position - segment.start;
      this.#oldestMs = place.timestampMs;
      return;
    }
    const tail = this.#segments.at(-1);
    this.#forgottenBytes = tail ? endBytes(tail) : 0;
    this.#oldestMs = this.#writer.pendingBytes > 0 ? this.settings.now() : Infinity;
  }
}

function endBytes(segment: Segment): number {
  return segment.bytesBefore + segment.endPosition - segment.start;
}
