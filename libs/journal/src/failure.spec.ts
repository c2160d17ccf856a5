import fs from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Disk, type FailureNotice, inspectJournal, type Journal, type JournalOptions, openJournal, realDisk } from './index.js';

let directory: string;
let journal: Journal;
/** Which calls fail now, and how. The others are the real ones. */
let broken: Partial<Record<keyof Disk, 'ENOSPC' | 'EIO'>>;
/** A failing write leaves this much behind, as a full disk does. */
let partialBytes: number;
let keptWrites: number;

const disk: Disk = {
  ...realDisk,
  async write(fd, data, position) {
    const bytes = Buffer.from(data.buffer, data.byteOffset, data.length);
    if (bytes.includes('kept')) keptWrites += 1;
    if (!broken.write) return realDisk.write(fd, bytes, position);
    await realDisk.write(fd, bytes.subarray(0, partialBytes), position);
    throw failure('write');
  },
  sync: (fd) => (broken.sync ? Promise.reject(failure('sync')) : realDisk.sync(fd)),
  truncate: (fd, bytes) => (broken.truncate ? Promise.reject(failure('truncate')) : realDisk.truncate(fd, bytes)),
};

function failure(call: keyof Disk): Error {
  return Object.assign(new Error(call), { code: broken[call] });
}

const text = (value: string) => ({ value: Buffer.from(value) });
const failed = expect.objectContaining({ code: 'JOURNAL_WRITE_FAILED' }) as unknown;

beforeEach(async () => {
  directory = await fs.mkdtemp(join(tmpdir(), 'journal-'));
  broken = {};
  partialBytes = 0;
  keptWrites = 0;
});
afterEach(async () => {
  broken = {};
  await journal.close();
  await fs.rm(directory, { recursive: true });
});

async function start(options: Partial<JournalOptions> = {}): Promise<void> {
  journal = await openJournal({ directory, segmentBytes: 4096, retryPauseMs: 5, ...options }, disk);
}

async function recovered(): Promise<void> {
  broken = {};
  while (journal.failure) await new Promise<void>((resolve) => journal.onDurable(resolve));
}

async function all() {
  const records = [];
  for (let at = 0n; ;) {
    const batch = await journal.read(at);
    if (batch.length === 0) return records;
    records.push(...batch);
    at = batch.at(-1)!.offset + 1n;
  }
}

async function onDisk(path = directory): Promise<string[]> {
  const values: string[] = [];
  for await (const found of inspectJournal(path)) {
    if (found.kind === 'corrupt') throw new Error(`corrupt: ${found.reason}`);
    if (found.kind === 'record') values.push(found.record.value.toString());
  }
  return values;
}

describe('a disk that refuses', () => {
  for (const [name, fault, left] of [
    ['is full', { write: 'ENOSPC' }, 0],
    ['is full half way through a record', { write: 'ENOSPC' }, 30],
    ['is full behind a whole record', { write: 'ENOSPC' }, 46],
    ['has an error', { write: 'EIO' }, 10],
  ] as const) {
    it(`P1: ${name}: what waits is refused and never appears; it goes on when there is room`, async () => {
      await start();
      await journal.durable(journal.append(text('before')));
      broken = { ...fault };
      partialBytes = left;
      const notices: FailureNotice[] = [];
      journal.onFailure((notice) => notices.push(notice));
      const lost = journal.append([text('lost 1'), text('lost 2')]);
      await expect(journal.durable(lost)).rejects.toEqual(failed);
      expect(notices).toMatchObject([{ from: 1n, to: 3n }]);
      expect(() => journal.append(text('refused'))).toThrow(failed as Error);
      expect(await onDisk()).toEqual(['before']);
      await recovered();
      const after = journal.append(text('after'));
      // A lost offset is not given again: nobody can take the new record for the lost one.
      expect(after).toBe(3n);
      await journal.durable(after);
      expect(journal.isDurable(lost)).toBe(false);
      await expect(journal.durable(lost)).rejects.toEqual(failed);
      expect((await journal.read(0n)).map((record) => record.value.toString())).toEqual(['before']);
      expect((await journal.read(1n)).map((record) => record.value.toString())).toEqual(['after']);
      await journal.close();
      expect(await onDisk()).toEqual(['before', 'after']);
      await start();
      expect(journal.nextOffset).toBe(4n);
    });
  }

  for (const [name, segmentBytes] of [
    ['in the middle of a segment', 4096],
    ['at the start of each segment', 150],
  ] as const) {
    it(`P6: with dense offsets a failure leaves no gap, ${name}`, async () => {
      await start({ denseOffsets: true, segmentBytes });
      const said: string[] = [];
      for (let n = 0; n < 12; n++) {
        broken = n % 3 === 1 ? { write: 'ENOSPC' } : {};
        partialBytes = n;
        const value = `record ${n} ${'x'.repeat(40)}`;
        try {
          const offset = journal.append([text(`${value} a`), text(`${value} b`)]);
          await journal.durable(offset);
          expect(offset).toBe(BigInt(said.length + 1));
          said.push(`${value} a`, `${value} b`);
        } catch (error) {
          expect(error).toEqual(failed);
          expect(broken.write).toBeDefined();
          await recovered();
        }
      }
      expect(said).toHaveLength(16);
      expect((await all()).map(({ offset }) => offset)).toEqual(said.map((_, n) => BigInt(n)));
      expect((await all()).map(({ value }) => value.toString())).toEqual(said);
      await journal.close();
      expect(await onDisk()).toEqual(said);
      await start({ denseOffsets: true, segmentBytes });
      expect(journal.nextOffset).toBe(16n);
      expect((await all()).map(({ value }) => value.toString())).toEqual(said);
    });
  }

  it('P1: loses also what was collected behind the failed group', async () => {
    await start();
    broken = { write: 'ENOSPC' };
    const first = journal.durable(journal.append(text('a')));
    await new Promise((resolve) => setImmediate(resolve));
    const second = journal.durable(journal.append(text('b')), 'process');
    const results = await Promise.allSettled([first, second]);
    expect(results).toMatchObject([{ reason: failed }, { reason: failed }]);
    await recovered();
    await journal.durable(journal.append(text('c')));
    expect(await onDisk()).toEqual(['c']);
  });

  it('P1: a failed sync refuses the group; what was written before it stays, and is written again', async () => {
    await start({ syncIntervalMs: 60_000 });
    const kept = journal.append(text('kept'), { durability: 'process' });
    await journal.written(kept);
    broken = { sync: 'EIO' };
    await expect(journal.durable(journal.append(text('lost')))).rejects.toEqual(failed);
    expect(journal.isDurable(kept, 'process')).toBe(true);
    await expect(journal.synced(kept)).rejects.toEqual(failed);
    await recovered();
    await journal.synced(kept);
    expect(keptWrites).toBe(2);
    await journal.durable(journal.append(text('after')));
    expect(await onDisk()).toEqual(['kept', 'after']);
  });

  it('P1: a crash before the cut leaves a torn tail at most where nothing whole was written', async () => {
    await start();
    await journal.durable(journal.append(text('before')));
    broken = { write: 'EIO', truncate: 'EIO' };
    partialBytes = 20;
    await expect(journal.durable(journal.append(text('lost')))).rejects.toEqual(failed);
    const copy = await fs.mkdtemp(join(directory, 'copy-'));
    for (const name of await fs.readdir(directory))
      if (name.endsWith('.segment')) await fs.copyFile(join(directory, name), join(copy, name));
    expect(await onDisk(copy)).toEqual(['before']);
    await recovered();
    expect(await onDisk()).toEqual(['before']);
  });

  it('P1: without room for the next segment, what begins is refused while there is still room for what ends', async () => {
    await start({ segmentBytes: 4096, reserveBytes: 1000, retryPauseMs: 1 });
    const half = text('x'.repeat(1100));
    await journal.durable(journal.append(half));
    broken = { open: 'ENOSPC' };
    const opening = disk.open;
    let attempts = 0;
    let giveUp = (): void => undefined;
    let reached = (): void => undefined;
    const secondAttempt = new Promise<void>((resolve) => (reached = resolve));
    // The first attempt fails at once, and the next takes its time: one that is under way is no room either.
    const attempt = (): Promise<number> => {
      if (attempts++ === 0) return Promise.reject(failure('open'));
      reached();
      return new Promise((_, reject) => (giveUp = () => reject(failure('open'))));
    };
    (disk as { open: Disk['open'] }).open = (path, flags) => (broken.open ? attempt() : opening(path, flags));
    try {
      await journal.durable(journal.append(half));
      await secondAttempt;
      expect(() => journal.append(half)).toThrow(expect.objectContaining({ code: 'JOURNAL_FULL' }));
      await journal.durable(journal.append(half, { useReserve: true }));
      // Nothing is laid out any more. What was refused can be told later; what was taken and lost can't.
      expect(() => journal.append(half, { useReserve: true })).toThrow(expect.objectContaining({ code: 'JOURNAL_FULL' }));
    } finally {
      giveUp();
      (disk as { open: Disk['open'] }).open = opening;
    }
    expect(await onDisk()).toHaveLength(3);
  });

  it('closes although the disk is broken, and rejects what waits', async () => {
    await start({ retryPauseMs: 60_000 });
    broken = { write: 'EIO', truncate: 'EIO', sync: 'EIO' };
    const wait = journal.durable(journal.append(text('a')));
    const closed = journal.close();
    await expect(wait).rejects.toEqual(failed);
    await closed;
    broken = {};
    await start();
    expect(await onDisk()).toEqual([]);
  });
});
