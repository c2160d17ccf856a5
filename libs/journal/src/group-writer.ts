// Longer than 400 lines: plan, group, spare segment and recovery change one state, and apart they would each need all of it.
import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import { join } from 'node:path';
import { type Disk, fillWithZeros, segmentFile, SYNCED_WRITES } from './disk.js';
import { encodeFrame, encodeSegmentHeader, type Measured } from './frame.js';
import { JournalError } from './journal-error.js';
import type { JournalSettings } from './options.js';
import { SPARE_FILE } from './recover.js';
import type { Segment } from './segments.js';
import { SparseIndex } from './sparse-index.js';

/** A segment that `append` has begun; the file follows when the writer gets there. */
interface Plan {
  readonly header: Buffer;
  readonly segment: Segment;
  /** Where the next record goes. */
  position: number;
  /** Up to where the file is filled with zeros. */
  readonly laidOut: number;
  file: OpenFile | undefined;
}

interface OpenFile {
  readonly fd: number;
  /** The same file, each write synced when it returns; -1 where the platform has no such thing. */
  readonly syncedFd: number;
}

/** The records of one write. */
interface Group {
  readonly plan: Plan;
  readonly position: number;
  readonly first: number;
  buffer: Buffer;
  length: number;
  last: number;
  sync: boolean;
  /** Everything in it may wait for the next write. */
  gather: boolean;
}

export interface WriterEvents {
  /** True when somebody waits for the write of this or an earlier offset. */
  writeWanted(offset: number): boolean;
  /** True when somebody waits for a sync of this or an earlier offset. */
  syncWanted(offset: number): boolean;
  progress(): void;
  /** Records `[from, to)` are lost: cut off the file, as far as the disk let us. `from === to` when only a sync failed. */
  failed(error: JournalError, from: number, to: number): void;
  recovered(): void;
}

const FIRST_BUFFER_BYTES = 64 * 1024;
const KEPT_BUFFER_BYTES = 2 ** 20;

/**
 * Collects records while one group is under way and writes them as the next: one write and at most one sync for all.
 * After a failed write nothing that was waiting is kept: the file is cut back to the last written record, the offsets are never
 * given again, and a new segment begins behind them. FORMAT.md, "When the disk refuses".
 */
export class GroupWriter {
  next: number;
  /** The last offset that write(2) took, and the last that is synced. */
  written: number;
  synced: number;
  pendingBytes = 0;
  failure: JournalError | undefined;
  /** The last attempt to lay out a segment ahead found no room. */
  starved = false;
  #plan: Plan | undefined;
  #open: Plan | undefined;
  #queue: Group[] = [];
  #free: Buffer[] = [];
  #spare: Promise<number> | undefined;
  #spareIsReady = false;
  #running: Promise<void> | undefined;
  #scheduled = false;
  #gatherTimer: NodeJS.Timeout | undefined;
  #syncTimer: NodeJS.Timeout | undefined;
  #retryTimer: NodeJS.Timeout | undefined;
  #retrying: Promise<void> | undefined;
  #closing = false;

  constructor(
    private readonly settings: JournalSettings,
    private readonly disk: Disk,
    private readonly segments: Segment[],
    private readonly events: WriterEvents,
  ) {
    this.next = segments.at(-1)?.end ?? 0;
    this.written = this.next - 1;
    this.synced = this.written;
  }

  /** Opens the last segment to go on with it, or lays out the first. */
  async start(): Promise<void> {
    const segment = this.segments.at(-1);
    if (!segment) {
      await this.#layOutSpare();
      return;
    }
    const file = await this.#openFile(segment.path, fs.constants.O_RDWR);
    const laidOut = await this.#fillBehind(file.fd, segment.endPosition);
    this.#plan = { header: Buffer.alloc(0), segment, position: segment.endPosition, laidOut, file };
    this.#open = this.#plan;
  }

  /** Best effort: a full disk must not keep an owner from reading what is there and forgetting it. */
  async #fillBehind(fd: number, endPosition: number): Promise<number> {
    try {
      await fillWithZeros(this.disk, fd, endPosition, this.settings.preallocateBytes);
      return this.settings.preallocateBytes;
    } catch {
      this.starved = true;
      this.#retryLater();
      await this.disk.truncate(fd, endPosition).catch(() => undefined);
      return endPosition;
    }
  }

  /** Bytes that are laid out on disk and not used: what can still be written when the disk is full. */
  get laidOutBytes(): number {
    const active = this.#plan ? Math.max(0, this.#plan.laidOut - this.#plan.position) : 0;
    return active + (this.#spareIsReady ? this.settings.preallocateBytes : 0);
  }

  /** Takes the records: they are in order behind everything before them. All go into one segment. */
  push(records: readonly Measured[], bytes: number, { sync, gather }: { readonly sync: boolean; readonly gather: boolean }): void {
    let plan = this.#plan;
    if (!plan || (plan.position + bytes > this.settings.segmentBytes && this.next > plan.segment.base)) plan = this.#beginSegment();
    const group = this.#groupFor(plan, bytes);
    const now = this.settings.now();
    for (const measured of records) {
      const timestampMs = measured.entry.timestampMs ?? now;
      encodeFrame(
        group.buffer,
        group.length,
        { mark: plan.segment.mark, offset: this.next, timestampMs, syncedBefore: this.synced + 1 },
        measured,
      );
      plan.segment.index!.add(this.next, plan.position, timestampMs);
      group.length += measured.bytes;
      plan.position += measured.bytes;
      group.last = this.next;
      this.next += 1;
    }
    group.sync ||= sync;
    group.gather &&= gather && !sync;
    this.pendingBytes += bytes;
    if (this.#nextGroup()) this.poke();
    else this.#gatherTimer ??= setTimeout(() => this.#endGathering(), this.settings.gatherMs);
  }

  #endGathering(): void {
    this.#gatherTimer = undefined;
    const tail = this.#queue.at(-1);
    if (tail) tail.gather = false;
    this.poke();
  }

  /** The next group, unless it may still wait. */
  #nextGroup(): Group | undefined {
    const [group] = this.#queue;
    const waits = group?.gather && this.#queue.length === 1 && group.length < FIRST_BUFFER_BYTES && !this.#closing;
    if (!waits || this.events.writeWanted(group.last) || this.events.syncWanted(group.last)) return group;
    return undefined;
  }

  /** Lets the writer look for work after the running tick, so that one tick's records share a group. */
  poke(): void {
    if (this.#scheduled || this.#running || this.failure) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      if (!this.#running && !this.failure) this.#track(this.#run());
    });
  }

  #track(work: Promise<void>): void {
    this.#running = work.finally(() => {
      this.#running = undefined;
      // What came between the last look at the queue and now.
      if (this.#nextGroup() || (this.synced < this.written && this.events.syncWanted(this.written))) this.poke();
    });
  }

  async close(): Promise<{ readonly clean: boolean }> {
    this.#closing = true;
    clearTimeout(this.#gatherTimer);
    this.poke();
    clearTimeout(this.#syncTimer);
    clearTimeout(this.#retryTimer);
    while (this.#running || this.#scheduled) await (this.#running ?? new Promise((resolve) => setImmediate(resolve)));
    await this.#retrying;
    let clean = false;
    try {
      if (this.#open) await this.#seal();
      clean = !this.failure;
    } catch {
      // Whoever waited has been told. The next opening finds out what is there.
    }
    const spare = await this.#spare?.catch(() => undefined);
    if (spare !== undefined) await this.disk.close(spare).catch(() => undefined);
    await this.disk.unlink(join(this.settings.directory, SPARE_FILE)).catch(() => undefined);
    return { clean };
  }

  #beginSegment(): Plan {
    const head = Buffer.from(this.settings.segmentHead());
    if (head.length > this.settings.maxRecordBytes)
      throw new JournalError('JOURNAL_RECORD_TOO_LARGE', `the segment head has ${head.length} bytes`);
    const mark = (randomBytes(4).readUInt32BE(0) | 1) >>> 0;
    const before = this.#plan?.segment ?? this.segments.at(-1);
    const beforeEnd = this.#plan?.position ?? before?.endPosition ?? 0;
    const previousEnd = this.#plan ? this.next : this.written + 1;
    const base = this.next;
    const header = encodeSegmentHeader({ mark, base, previousEnd, createdMs: this.settings.now(), head });
    const file = segmentFile(base);
    const segment: Segment = {
      base,
      file,
      path: join(this.settings.directory, file),
      mark,
      previousEnd,
      head,
      start: header.length,
      bytesBefore: before ? before.bytesBefore + beforeEnd - before.start : 0,
      end: base,
      endPosition: header.length,
      index: new SparseIndex(),
    };
    this.#plan = { header, segment, position: header.length, laidOut: this.settings.preallocateBytes, file: undefined };
    return this.#plan;
  }

  #groupFor(plan: Plan, bytes: number): Group {
    let group = this.#queue.at(-1);
    if (!group || group.plan !== plan) {
      const buffer = this.#free.pop() ?? Buffer.allocUnsafeSlow(FIRST_BUFFER_BYTES);
      group = { plan, position: plan.position, first: this.next, buffer, length: 0, last: this.next, sync: false, gather: true };
      this.#queue.push(group);
    }
    if (group.length + bytes > group.buffer.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(group.length + bytes, group.buffer.length * 2));
      group.buffer.copy(larger, 0, 0, group.length);
      group.buffer = larger;
    }
    return group;
  }

  async #run(): Promise<void> {
    for (;;) {
      const group = this.#nextGroup();
      if (group) this.#queue.shift();
      try {
        if (group) await this.#write(group);
        else if (this.synced < this.written && this.events.syncWanted(this.written)) await this.#sync();
        else return;
      } catch (error) {
        await this.#fail(error, group);
        return;
      }
      this.events.progress();
    }
  }

  async #write(group: Group): Promise<void> {
    const { plan } = group;
    if (!plan.file) await this.#activate(plan);
    const file = plan.file!;
    const bytes = group.buffer.subarray(0, group.length);
    const sync = group.sync || this.events.syncWanted(group.last);
    const together = sync && file.syncedFd >= 0 && this.synced === this.written;
    await this.disk.write(together ? file.syncedFd : file.fd, bytes, group.position);
    if (sync && !together) await this.disk.sync(file.fd);
    plan.segment.end = group.last + 1;
    plan.segment.endPosition = group.position + group.length;
    this.written = group.last;
    if (sync) this.synced = this.written;
    else this.#syncLater();
    this.pendingBytes -= group.length;
    if (group.buffer.length <= KEPT_BUFFER_BYTES && this.#free.length < 2) this.#free.push(group.buffer);
    // On a full disk the retry does it, at its own pace.
    if (plan.segment.endPosition > this.settings.segmentBytes / 2 && !this.starved) void this.#layOutSpare().catch(() => undefined);
  }

  async #sync(): Promise<void> {
    const through = this.written;
    if (this.#open?.file) await this.disk.sync(this.#open.file.fd);
    this.synced = through;
  }

  #syncLater(): void {
    this.#syncTimer ??= setTimeout(() => {
      this.#syncTimer = undefined;
      if (this.synced >= this.written || this.failure || this.#closing) return;
      const tail = this.#queue.at(-1);
      if (tail) {
        tail.sync = true;
        tail.gather = false;
        this.poke();
      } else if (!this.#running) this.#track(this.#syncNow());
      else this.#syncLater();
    }, this.settings.syncIntervalMs).unref();
  }

  async #syncNow(): Promise<void> {
    try {
      await this.#sync();
    } catch (error) {
      await this.#fail(error, undefined);
      return;
    }
    this.events.progress();
    await this.#run();
  }

  /** The segment before is closed for good, with everything in it synced, before the new one exists. */
  async #activate(plan: Plan): Promise<void> {
    if (this.#open) await this.#seal();
    const spare = await this.#layOutSpare();
    this.#spare = undefined;
    this.#spareIsReady = false;
    try {
      await this.disk.write(spare, plan.header, 0);
      await this.disk.sync(spare);
    } finally {
      await this.disk.close(spare);
    }
    await this.disk.rename(join(this.settings.directory, SPARE_FILE), plan.segment.path);
    this.segments.push(plan.segment);
    await this.disk.syncDirectory(this.settings.directory);
    plan.file = await this.#openFile(plan.segment.path, fs.constants.O_RDWR);
    this.#open = plan;
  }

  /** Cuts the file to its records, syncs it and lets go of it. Does nothing twice. */
  async #seal(): Promise<void> {
    const open = this.#open!;
    const { fd, syncedFd } = open.file!;
    await this.disk.truncate(fd, open.segment.endPosition);
    await this.disk.sync(fd);
    this.synced = this.written;
    this.#open = undefined;
    await this.disk.close(fd);
    if (syncedFd >= 0) await this.disk.close(syncedFd);
  }

  async #openFile(path: string, flags: number): Promise<OpenFile> {
    const fd = await this.disk.open(path, flags);
    if (SYNCED_WRITES === undefined) return { fd, syncedFd: -1 };
    try {
      return { fd, syncedFd: await this.disk.open(path, flags | SYNCED_WRITES) };
    } catch (error) {
      await this.disk.close(fd);
      throw error;
    }
  }

  /** One at a time: whoever comes later gets the same one. */
  #layOutSpare(): Promise<number> {
    if (this.#spare) return this.#spare;
    const made = this.#makeSpare();
    this.#spare = made;
    made.then(
      () => {
        this.starved = false;
        this.#spareIsReady = true;
      },
      () => {
        this.starved = true;
        if (this.#spare === made) this.#spare = undefined;
        this.#retryLater();
      },
    );
    return made;
  }

  async #makeSpare(): Promise<number> {
    const path = join(this.settings.directory, SPARE_FILE);
    const fd = await this.disk.open(path, fs.constants.O_CREAT | fs.constants.O_TRUNC | fs.constants.O_RDWR);
    try {
      await fillWithZeros(this.disk, fd, 0, this.settings.preallocateBytes);
      return fd;
    } catch (error) {
      await this.disk.close(fd).catch(() => undefined);
      await this.disk.unlink(path).catch(() => undefined);
      throw error;
    }
  }

  async #fail(error: unknown, group: Group | undefined): Promise<void> {
    const cause = (error as NodeJS.ErrnoException).code ?? 'unknown';
    const failure = new JournalError('JOURNAL_WRITE_FAILED', `the disk refused a write in ${this.settings.directory} (${cause})`, {
      cause: error,
    });
    this.failure = failure;
    const from = group?.first ?? this.next;
    const lost = group ? [group, ...this.#queue] : this.#queue;
    const first = lost[0]?.first ?? from;
    this.#queue = [];
    this.#plan = undefined;
    this.pendingBytes = 0;
    // Off the file before anybody is told, so that a crash in between leaves nothing that was refused.
    if (this.#open?.file) await this.disk.truncate(this.#open.file.fd, this.#open.segment.endPosition).catch(() => undefined);
    this.events.failed(failure, first, this.next);
    this.#retryLater();
  }

  #retryLater(): void {
    if (this.#closing) return;
    this.#retryTimer ??= setTimeout(() => {
      this.#retryTimer = undefined;
      this.#retrying ??= this.#retry().finally(() => (this.#retrying = undefined));
    }, this.settings.retryPauseMs).unref();
  }

  async #retry(): Promise<void> {
    try {
      if (this.failure && this.#open) {
        await this.#writeAgainWhatIsNotSynced(this.#open);
        await this.#seal();
      }
      await this.#layOutSpare();
    } catch {
      this.#retryLater();
      return;
    }
    if (!this.failure) return;
    if (this.settings.denseOffsets) this.#giveLostOffsetsAgain();
    this.failure = undefined;
    this.events.recovered();
  }

  /** The files hold nothing of the lost records by now: they were cut, and the cut is synced. */
  #giveLostOffsetsAgain(): void {
    this.next = this.written + 1;
    // A segment that was begun for them is empty; the next one takes its name and its place.
    if (this.segments.at(-1)?.base === this.next) this.segments.pop();
  }

  /** After a failed sync the kernel may hold pages for clean that never reached the disk. Writing them again marks them dirty. */
  async #writeAgainWhatIsNotSynced(open: Plan): Promise<void> {
    const { fd } = open.file!;
    const { start, endPosition } = open.segment;
    if (this.synced >= this.written) return;
    for (let at = start; at < endPosition; at += KEPT_BUFFER_BYTES) {
      const bytes = await this.disk.read(fd, Math.min(KEPT_BUFFER_BYTES, endPosition - at), at);
      await this.disk.write(fd, bytes, at);
    }
  }
}
