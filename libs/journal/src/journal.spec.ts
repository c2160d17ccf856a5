import fs from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { crc32c, FRAME_BYTES, type Journal, JOURNAL_LIMITS, type JournalOptions, openJournal } from './index.js';
import { type Disk, realDisk } from './disk.js';
import { settle } from './options.js';

let directory: string;
const open: Journal[] = [];

async function start(options: Partial<JournalOptions> = {}, disk: Disk = realDisk): Promise<Journal> {
  const journal = await openJournal({ directory, segmentBytes: 64 * 1024, ...options }, disk);
  open.push(journal);
  return journal;
}

const text = (value: string) => ({ value: Buffer.from(value) });

async function all(journal: Journal, from = journal.firstOffset): Promise<string[]> {
  const values: string[] = [];
  for (let at = from; ;) {
    const batch = await journal.read(at);
    if (batch.length === 0) return values;
    values.push(...batch.map((record) => record.value.toString()));
    at = batch.at(-1)!.offset + 1n;
  }
}

beforeEach(async () => {
  directory = await fs.mkdtemp(join(tmpdir(), 'journal-'));
});
afterEach(async () => {
  for (const journal of open.splice(0)) await journal.close();
  await fs.rm(directory, { recursive: true });
});

describe('crc32c', () => {
  it('gives the check values of RFC 3720', () => {
    expect(crc32c(Buffer.from('123456789'))).toBe(0xe3069283);
    expect(crc32c(Buffer.alloc(32))).toBe(0x8a9136aa);
    expect(crc32c(Buffer.alloc(32, 0xff))).toBe(0x62a8ab43);
    expect(crc32c(Buffer.from('xx123456789yy'), 2, 11)).toBe(0xe3069283);
  });
});

describe('appending', () => {
  it('P1: is durable when the promise says so, and not before', async () => {
    const journal = await start();
    const offset = journal.append(text('one'));
    expect(offset).toBe(0n);
    expect(journal.isDurable(offset)).toBe(false);
    expect(journal.writtenOffset).toBe(-1n);
    await journal.durable(offset);
    expect(journal.isDurable(offset)).toBe(true);
    expect([journal.writtenOffset, journal.syncedOffset]).toEqual([0n, 0n]);
  });

  it('keeps records unsynced that asked for no more, until somebody waits or the interval is over', async () => {
    const journal = await start({ syncIntervalMs: 60_000 });
    const offset = journal.append(text('one'), { durability: 'process' });
    await journal.written(offset);
    expect([journal.isDurable(offset, 'process'), journal.isDurable(offset, 'disk')]).toEqual([true, false]);
    expect(await journal.read(0n)).toEqual([]);
    expect(await journal.read(0n, { upTo: 'written' })).toHaveLength(1);
    await journal.synced(offset);
    expect(journal.isDurable(offset)).toBe(true);
    expect(await journal.read(0n)).toHaveLength(1);
  });

  it('lets a record that may gather wait for the next write, which takes it along', async () => {
    let writes = 0;
    const counting: Disk = { ...realDisk, write: (fd, bytes, position) => (writes++, realDisk.write(fd, bytes, position)) };
    const journal = await start({ gatherMs: 60_000 }, counting);
    await journal.synced(journal.append(text('zero')));
    journal.append(text('one'), { durability: 'process', gather: true });
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(journal.writtenOffset).toBe(0n);
    writes = 0;
    await journal.synced(journal.append(text('two')));
    expect([writes, journal.syncedOffset]).toEqual([1, 2n]);
  });

  it('a gathering record is written when somebody waits for it, when its time is over, and at the close', async () => {
    const patient = await start({ gatherMs: 60_000 });
    const gather = { durability: 'process', gather: true } as const;
    await patient.written(patient.append(text('one'), gather));
    await patient.synced(patient.append(text('two'), gather));
    patient.append(text('three'), gather);
    await patient.close();
    const hasty = await start({ gatherMs: 1 });
    expect(hasty.nextOffset).toBe(3n);
    const offset = hasty.append(text('four'), gather);
    await new Promise<void>((resolve) => hasty.onDurable(() => hasty.isDurable(offset, 'process') && resolve()));
  });

  it('syncs on its own after the interval', async () => {
    const journal = await start({ syncIntervalMs: 10 });
    const offset = journal.append(text('one'), { durability: 'process' });
    await new Promise<void>((resolve) => journal.onDurable(() => journal.isDurable(offset, 'disk') && resolve()));
  });

  it('tells a data path without a promise', async () => {
    const journal = await start();
    const seen: bigint[] = [];
    const told = new Promise<void>((resolve) =>
      journal.onDurable(() => seen.push(journal.syncedOffset) && journal.syncedOffset === 9n && resolve()),
    );
    for (let i = 0; i < 10; i++) journal.append(text(`${i}`));
    await told;
    // One tick's records are one group.
    expect(seen).toEqual([9n]);
  });

  it('takes several as one, in order, with keys, headers and times, also across a reopening', async () => {
    const first = await start({ now: () => 1234, maxAgeMs: Infinity });
    expect(
      first.append([
        { key: 'a', value: Buffer.from('1') },
        { key: null, value: Buffer.from('2'), headers: { h: 'ü' } },
        { key: '', value: Buffer.alloc(0), timestampMs: 5 },
      ]),
    ).toBe(2n);
    expect(first.append([])).toBe(2n);
    await first.close();
    const journal = await start({ maxAgeMs: Infinity });
    const records = await journal.read(0n);
    expect(records.map(({ key, headers, timestampMs, offset, value }) => [key, headers, timestampMs, offset, value.toString()])).toEqual([
      ['a', {}, 1234, 0n, '1'],
      [null, { h: 'ü' }, 1234, 1n, '2'],
      ['', {}, 5, 2n, ''],
    ]);
    expect(journal.append(text('next'))).toBe(3n);
  });

  it('gives back whatever was put in, over any number of segments and reopenings', async () => {
    const entry = fc.record({
      key: fc.option(fc.string({ unit: 'binary', maxLength: 20 })),
      value: fc.uint8Array({ maxLength: 3000 }),
      headers: fc.dictionary(fc.string(), fc.string(), { maxKeys: 3 }),
      timestampMs: fc.integer({ min: 0, max: 2 ** 45 }),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(entry, { maxLength: 8 }), { maxLength: 6 }),
        fc.integer({ min: 200, max: 8000 }),
        async (appends, segmentBytes) => {
          const own = await fs.mkdtemp(join(directory, 'case-'));
          const whole = appends.flat();
          for (const records of appends) {
            const journal = await openJournal({ directory: own, segmentBytes, maxAgeMs: Infinity });
            journal.append(records);
            await journal.close();
          }
          const journal = await openJournal({ directory: own, segmentBytes, scan: 'tail' });
          const back = [];
          for (let at = 0n; at < journal.nextOffset; at = back.at(-1)!.offset + 1n)
            back.push(...(await journal.read(at, { maxRecords: 3 })));
          await journal.close();
          expect(
            back.map((r) => ({ key: r.key, value: new Uint8Array(r.value), headers: { ...r.headers }, timestampMs: r.timestampMs })),
          ).toEqual(whole.map((e) => ({ ...e, headers: { ...e.headers } })));
        },
      ),
      { numRuns: 40 },
    );
  });

  it('keeps files and directory to their owner', async () => {
    const own = join(directory, 'own');
    const journal = await openJournal({ directory: own, segmentBytes: 1000 });
    await journal.durable(journal.append(text('x')));
    expect((await fs.stat(own)).mode & 0o777).toBe(0o700);
    for (const file of await fs.readdir(own)) expect((await fs.stat(join(own, file))).mode & 0o777).toBe(0o600);
    await journal.close();
  });

  it('stores the value as it is', async () => {
    const journal = await start();
    await journal.durable(journal.append({ key: 'session', value: Buffer.from('{"plain":"bytes"}') }));
    const file = await fs.readFile(join(directory, '00000000000000000000.segment'));
    expect(file.indexOf('{"plain":"bytes"}')).toBeGreaterThan(FRAME_BYTES);
  });
});

describe('limits', () => {
  it('P9: have defaults', () => {
    expect(settle({ directory: 'x' })).toMatchObject(JOURNAL_LIMITS);
    expect(() => settle({ directory: 'x', maxBytes: 0 })).toThrow(expect.objectContaining({ code: 'JOURNAL_OPTION' }));
    expect(() => settle({ directory: 'x', maxBytes: 10, reserveBytes: 10 })).toThrow(expect.objectContaining({ code: 'JOURNAL_OPTION' }));
  });

  it('P9: maxBytes is full for what begins and leaves the reserve to what ends; forgetting makes room', async () => {
    const size = FRAME_BYTES + 10;
    const journal = await start({ maxBytes: size * 4, reserveBytes: size, segmentBytes: size * 2 });
    const ten = text('0123456789');
    journal.append([ten, ten, ten]);
    expect(() => journal.append(ten)).toThrow(expect.objectContaining({ code: 'JOURNAL_FULL' }));
    const last = journal.append(ten, { useReserve: true });
    expect(() => journal.append(ten, { useReserve: true })).toThrow(expect.objectContaining({ code: 'JOURNAL_FULL' }));
    await journal.durable(last);
    expect(journal.usedBytes).toBe(size * 4);
    await journal.forgetBefore(2n);
    expect(journal.usedBytes).toBe(size * 2);
    await journal.durable(journal.append(ten));
    expect(await all(journal, 2n)).toHaveLength(3);
  });

  it('P9: maxBytes counts what was there before a restart, less what was forgotten', async () => {
    const size = FRAME_BYTES + 1;
    const limits = { maxBytes: size * 3, reserveBytes: 0 };
    const before = await start(limits);
    await before.durable(before.append([text('a'), text('b'), text('c')]));
    await before.forgetBefore(1n);
    await before.close();
    const journal = await start(limits);
    expect([journal.usedBytes, journal.forgottenBefore]).toEqual([size * 2, 1n]);
    journal.append(text('d'));
    expect(() => journal.append(text('e'))).toThrow(expect.objectContaining({ code: 'JOURNAL_FULL' }));
  });

  it('P9: maxRecordBytes, and keys and headers that no frame can name', async () => {
    const journal = await start({ maxRecordBytes: FRAME_BYTES + 100 });
    journal.append(text('x'.repeat(100)));
    const tooLarge = expect.objectContaining({ code: 'JOURNAL_RECORD_TOO_LARGE' });
    expect(() => journal.append([text('fits'), text('x'.repeat(101))])).toThrow(tooLarge);
    expect(journal.nextOffset).toBe(1n);
    const large = await openJournal({ directory: join(directory, 'large') });
    expect(() => large.append({ key: 'k'.repeat(0xffff), value: Buffer.alloc(0) })).toThrow(tooLarge);
    expect(() => large.append({ headers: { a: 'k'.repeat(0xffff) }, value: Buffer.alloc(0) })).toThrow(tooLarge);
    await large.close();
  });

  it('P9: maxAgeMs, of the oldest that is not forgotten', async () => {
    let now = 1000;
    const journal = await start({ maxAgeMs: 100, now: () => now });
    await journal.durable(journal.append(text('a')));
    now += 50;
    await journal.durable(journal.append(text('b')));
    now += 51;
    expect(() => journal.append(text('c'))).toThrow(expect.objectContaining({ code: 'JOURNAL_FULL' }));
    journal.append(text('the end of something'), { useReserve: true });
    await journal.forgetBefore(1n);
    await journal.durable(journal.append(text('c')));
    await journal.forgetBefore(journal.nextOffset);
    now += 1_000_000;
    expect(journal.ageMs).toBe(0);
    journal.append(text('d'));
  });

  it('P9: maxPendingBytes', async () => {
    const journal = await start({ maxPendingBytes: 1000 });
    journal.append(text('x'.repeat(900)));
    expect(() => journal.append(text('x'.repeat(100)))).toThrow(expect.objectContaining({ code: 'JOURNAL_FULL' }));
    await journal.durable(0n);
    await journal.durable(journal.append(text('x'.repeat(100))));
  });

  it('P9: maxWaits', async () => {
    const journal = await start({ maxWaits: 2 });
    const offset = journal.append(text('x'));
    const waits = [journal.durable(offset), journal.durable(offset)];
    await expect(journal.durable(offset)).rejects.toMatchObject({ code: 'JOURNAL_TOO_MANY_WAITS' });
    await Promise.all(waits);
  });

  it('a record larger than a segment has one of its own', async () => {
    const journal = await start({ segmentBytes: 1000 });
    for (const size of [10, 5000, 10]) journal.append(text('x'.repeat(size)));
    await journal.durable(2n);
    expect((await all(journal)).map((value) => value.length)).toEqual([10, 5000, 10]);
  });
});

describe('reading', () => {
  it('is bounded by records and bytes, and gives at least one', async () => {
    const journal = await start();
    await journal.durable(journal.append(Array.from({ length: 100 }, () => text('x'.repeat(1000)))));
    expect(await journal.read(0n, { maxRecords: 7 })).toHaveLength(7);
    expect(await journal.read(0n, { maxBytes: 3000 })).toHaveLength(2);
    expect(await journal.read(0n, { maxBytes: 1 })).toHaveLength(1);
    expect(await journal.read(100n)).toEqual([]);
    expect((await journal.read(57n, { maxRecords: 1 }))[0]!.offset).toBe(57n);
  });

  it('follows what is appended, over segments, until it is told to stop', async () => {
    const journal = await start({ segmentBytes: 500 });
    journal.append(text('0'));
    const stop = new AbortController();
    const seen: string[] = [];
    for await (const batch of journal.follow(0n, { signal: stop.signal })) {
      seen.push(...batch.map((record) => record.value.toString()));
      if (seen.length < 50) journal.append(text(`${seen.length}`));
      else stop.abort();
    }
    expect(seen).toEqual(Array.from({ length: 50 }, (_, i) => `${i}`));
  });

  it('follow ends when the journal closes', async () => {
    const journal = await start();
    const following = (async () => {
      for await (const _ of journal.follow(0n)) throw new Error('nothing was appended');
    })();
    await journal.close();
    await following;
  });

  it('refuses what is forgotten, what was never given out, and everything after closing', async () => {
    const journal = await start({ segmentBytes: 100 });
    for (let i = 0; i < 5; i++) journal.append(text('x'.repeat(50)));
    await journal.durable(4n);
    await journal.forgetBefore(3n);
    expect(journal.firstOffset).toBe(3n);
    expect((await fs.readdir(directory)).filter((name) => name.endsWith('.segment'))).toHaveLength(2);
    await expect(journal.read(2n)).rejects.toMatchObject({ code: 'JOURNAL_FORGOTTEN' });
    await expect(journal.durable(5n)).rejects.toMatchObject({ code: 'JOURNAL_OFFSET' });
    await journal.close();
    expect(() => journal.append(text('x'))).toThrow(expect.objectContaining({ code: 'JOURNAL_CLOSED' }));
  });
});

describe('the segment head', () => {
  it('gives the owner its state back although the records behind it are gone', async () => {
    const openSessions = new Map<string, number>();
    const options: Partial<JournalOptions> = { segmentBytes: 400, segmentHead: () => Buffer.from(JSON.stringify([...openSessions])) };
    const journal = await start(options);
    for (let i = 0; i < 40; i++) {
      const session = `s${i % 5}`;
      journal.append({ key: session, value: Buffer.from(`event ${i}`) });
      openSessions.set(session, (openSessions.get(session) ?? 0) + 1);
    }
    await journal.durable(39n);
    await journal.forgetBefore(30n);
    await journal.close();
    const again = await start(options);
    expect(again.firstOffset).toBeGreaterThan(0n);
    const rebuilt = new Map<string, number>(JSON.parse(again.recovered.head.toString()) as [string, number][]);
    for (const { key } of await again.read(again.recovered.headOffset)) rebuilt.set(key!, (rebuilt.get(key!) ?? 0) + 1);
    expect(rebuilt).toEqual(openSessions);
  });
});

describe('the lock', () => {
  it('keeps a second opener out until the first is done', async () => {
    const journal = await start();
    await expect(openJournal({ directory })).rejects.toMatchObject({ code: 'JOURNAL_LOCKED' });
    await journal.close();
    await start();
    await expect(openJournal({ directory })).rejects.toMatchObject({ code: 'JOURNAL_LOCKED' });
  });

  it('lets one of many in', async () => {
    const tries = await Promise.allSettled(Array.from({ length: 8 }, () => openJournal({ directory, segmentBytes: 1000 })));
    const won = tries.filter((one) => one.status === 'fulfilled');
    expect(won.length).toBeLessThanOrEqual(1);
    for (const one of won) await one.value.close();
    for (const one of tries) if (one.status === 'rejected') expect(one.reason).toMatchObject({ code: 'JOURNAL_LOCKED' });
    await start();
  });
});
