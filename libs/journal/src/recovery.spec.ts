import fs from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FRAME_BYTES, inspectJournal, openJournal } from './index.js';

const FIRST = '00000000000000000000.segment';
const SEGMENT_START = 48;
const SIZE = FRAME_BYTES + 8;
let directory: string;

beforeEach(async () => {
  directory = await fs.mkdtemp(join(tmpdir(), 'journal-'));
});
afterEach(async () => {
  await fs.rm(directory, { recursive: true });
});

/** A directory as it is while the journal is open: what a crash would leave. `groups` are synced one after the other. */
async function crashed(groups: readonly number[], segmentBytes = 4096): Promise<string> {
  const live = join(directory, 'live');
  const journal = await openJournal({ directory: live, segmentBytes });
  let n = 0;
  for (const records of groups) {
    await journal.durable(journal.append(Array.from({ length: records }, () => ({ value: Buffer.from(String(n++).padStart(8, '0')) }))));
  }
  const copy = await fs.mkdtemp(join(directory, 'copy-'));
  for (const name of await fs.readdir(live)) if (name.endsWith('.segment')) await fs.copyFile(join(live, name), join(copy, name));
  await journal.close();
  return copy;
}

async function inspect(path: string) {
  const records: string[] = [];
  const damage: { kind: string; file: string; position: number; offset: bigint }[] = [];
  for await (const found of inspectJournal(path)) {
    if (found.kind === 'record') records.push(found.record.value.toString());
    else damage.push({ kind: found.kind, file: found.file, position: found.position, offset: found.offset });
  }
  return { records, damage };
}

async function values(path: string): Promise<string[]> {
  const journal = await openJournal({ directory: path, segmentBytes: 4096 });
  const records = await journal.read(0n);
  expect(journal.nextOffset).toBe(BigInt(records.length));
  await journal.durable(journal.append({ value: Buffer.from('and more') }));
  expect((await journal.read(0n)).map((record) => record.value.toString())).toEqual([
    ...records.map((record) => record.value.toString()),
    'and more',
  ]);
  await journal.close();
  return records.map((record) => record.value.toString());
}

describe('a torn tail', () => {
  it('P1: is cut wherever the file ends or turns to zeros, and never costs a whole record', async () => {
    const copy = await crashed([3]);
    const bytes = await fs.readFile(join(copy, FIRST));
    for (let cut = SEGMENT_START; cut <= SEGMENT_START + 3 * SIZE; cut++) {
      const whole = Math.floor((cut - SEGMENT_START) / SIZE);
      for (const end of ['file ends', 'zeros']) {
        const torn = await fs.mkdtemp(join(directory, 'torn-'));
        const left = Buffer.from(bytes.subarray(0, end === 'zeros' ? undefined : cut));
        left.fill(0, cut);
        await fs.writeFile(join(torn, FIRST), left);
        expect(await values(torn)).toEqual(['00000000', '00000001', '00000002'].slice(0, whole));
      }
    }
  });

  it('is cut before a hole in the last write, although a later record of it arrived', async () => {
    const copy = await crashed([1, 3]);
    const path = join(copy, FIRST);
    const bytes = await fs.readFile(path);
    bytes.fill(0, SEGMENT_START + 2 * SIZE + 10, SEGMENT_START + 2 * SIZE + 30);
    await fs.writeFile(path, bytes);
    expect((await inspect(copy)).damage).toMatchObject([{ kind: 'torn', position: SEGMENT_START + 2 * SIZE, offset: 2n }]);
    expect(await values(copy)).toEqual(['00000000', '00000001']);
  });

  it('leaves nothing of itself behind a shorter record', async () => {
    const copy = await crashed([2]);
    await fs.truncate(join(copy, FIRST), SEGMENT_START + 2 * SIZE - 1);
    for (const value of ['a', 'b']) {
      const journal = await openJournal({ directory: copy, preallocateBytes: 0 });
      await journal.durable(journal.append({ value: Buffer.from(value) }));
      const crash = await fs.mkdtemp(join(directory, 'crash-'));
      await fs.copyFile(join(copy, FIRST), join(crash, FIRST));
      await journal.close();
      expect((await inspect(crash)).damage).toEqual([]);
    }
    expect((await inspect(copy)).records).toEqual(['00000000', 'a', 'b']);
  });

  it('is cut also when the process before it had closed regularly', async () => {
    const live = join(directory, 'live');
    await crashed([1]);
    const journal = await openJournal({ directory: live, segmentBytes: 4096 });
    await journal.durable(journal.append({ value: Buffer.from('00000001') }));
    const copy = await fs.mkdtemp(join(directory, 'copy-'));
    for (const name of await fs.readdir(live)) if (!name.startsWith('lock')) await fs.copyFile(join(live, name), join(copy, name));
    await journal.close();
    await fs.truncate(join(copy, FIRST), SEGMENT_START + 2 * SIZE - 1);
    expect(await values(copy)).toEqual(['00000000']);
  });

  it('says what it cut', async () => {
    const copy = await crashed([2]);
    await fs.truncate(join(copy, FIRST), SEGMENT_START + SIZE + 5);
    const journal = await openJournal({ directory: copy });
    expect(journal.recovered.cut).toEqual({ file: FIRST, position: SEGMENT_START + SIZE, bytes: 5 });
    await journal.close();
  });

  it('is not faked by a value that looks like a record', async () => {
    const other = await crashed([1]);
    const quoted = (await fs.readFile(join(other, FIRST))).subarray(SEGMENT_START, SEGMENT_START + SIZE);
    const live = join(directory, 'quoting');
    const journal = await openJournal({ directory: live, segmentBytes: 4096 });
    await journal.durable(journal.append({ value: Buffer.concat([quoted, quoted, Buffer.from('tail')]) }));
    const bytes = await fs.readFile(join(live, FIRST));
    await journal.close();
    const copy = await fs.mkdtemp(join(directory, 'copy-'));
    bytes[SEGMENT_START + FRAME_BYTES + 2 * SIZE] = 0;
    await fs.writeFile(join(copy, FIRST), bytes);
    expect(await inspect(copy)).toMatchObject({ records: [], damage: [{ kind: 'torn' }] });
  });
});

describe('a damaged record in the middle', () => {
  it('P6: every altered byte of a synced record is found, by opening and by inspecting, with its place', async () => {
    const copy = await crashed([1, 1, 1]);
    const path = join(copy, FIRST);
    const bytes = await fs.readFile(path);
    for (let at = SEGMENT_START; at < SEGMENT_START + 2 * SIZE; at++) {
      const altered = Buffer.from(bytes);
      altered[at]! ^= 1 << (at % 8);
      await fs.writeFile(path, altered);
      const n = Math.floor((at - SEGMENT_START) / SIZE);
      await expect(openJournal({ directory: copy })).rejects.toMatchObject({
        code: 'JOURNAL_CORRUPT',
        file: FIRST,
        position: SEGMENT_START + n * SIZE,
        offset: BigInt(n),
      });
      const { records, damage } = await inspect(copy);
      expect(damage).toEqual([{ kind: 'corrupt', file: FIRST, position: SEGMENT_START + n * SIZE, offset: BigInt(n) }]);
      expect(records).toHaveLength(2);
    }
  });

  it('P6: a removed and a zeroed record are found', async () => {
    const copy = await crashed([1, 1, 1]);
    const path = join(copy, FIRST);
    const bytes = await fs.readFile(path);
    const removed = Buffer.concat([bytes.subarray(0, SEGMENT_START + SIZE), bytes.subarray(SEGMENT_START + 2 * SIZE)]);
    const zeroed = Buffer.from(bytes).fill(0, SEGMENT_START + SIZE, SEGMENT_START + 2 * SIZE);
    for (const altered of [removed, zeroed]) {
      await fs.writeFile(path, altered);
      await expect(openJournal({ directory: copy })).rejects.toMatchObject({ code: 'JOURNAL_CORRUPT', offset: 1n });
      expect((await inspect(copy)).damage).toMatchObject([{ kind: 'corrupt', offset: 1n }]);
    }
  });

  it('P6: nothing is torn in an earlier segment, and no segment is missing', async () => {
    const copy = await crashed([40, 40, 40, 40, 40, 40], 4096);
    const files = (await fs.readdir(copy)).sort();
    expect(files.length).toBeGreaterThan(2);
    const first = await fs.readFile(join(copy, files[0]!));
    await fs.truncate(join(copy, files[0]!), first.length - 1);
    await expect(openJournal({ directory: copy })).rejects.toMatchObject({ code: 'JOURNAL_CORRUPT', file: files[0] });
    await fs.writeFile(join(copy, files[0]!), first);
    const second = await fs.readFile(join(copy, files[1]!));
    await fs.rm(join(copy, files[1]!));
    await expect(openJournal({ directory: copy })).rejects.toMatchObject({ code: 'JOURNAL_CORRUPT', file: files[2] });
    expect((await inspect(copy)).damage).toMatchObject([{ kind: 'corrupt', file: files[2], position: 0 }]);
    second[20]! ^= 1;
    await fs.writeFile(join(copy, files[1]!), second);
    await expect(openJournal({ directory: copy })).rejects.toMatchObject({ code: 'JOURNAL_CORRUPT', file: files[1], position: 0 });
  });

  it('P6: after a regular close even the last record can be neither altered nor cut off', async () => {
    await crashed([2]);
    const live = join(directory, 'live');
    const path = join(live, FIRST);
    const bytes = await fs.readFile(path);
    expect(bytes).toHaveLength(SEGMENT_START + 2 * SIZE);
    const altered = Buffer.from(bytes);
    altered[bytes.length - 1]! ^= 1;
    for (const changed of [altered, bytes.subarray(0, -1), bytes.subarray(0, -SIZE)]) {
      await fs.writeFile(path, changed);
      await expect(openJournal({ directory: live })).rejects.toMatchObject({ code: 'JOURNAL_CORRUPT' });
      expect((await inspect(live)).damage).toMatchObject([{ kind: 'corrupt' }]);
    }
    await fs.writeFile(path, bytes);
    expect(await values(live)).toHaveLength(2);
  });

  it('with scan: tail, a damaged record in an earlier segment is found when it is read', async () => {
    const copy = await crashed([40, 40, 40, 40], 4096);
    const path = join(copy, FIRST);
    const bytes = await fs.readFile(path);
    bytes[SEGMENT_START + 5 * SIZE + FRAME_BYTES]! ^= 1;
    await fs.writeFile(path, bytes);
    const journal = await openJournal({ directory: copy, scan: 'tail', segmentBytes: 4096 });
    expect(journal.nextOffset).toBe(160n);
    expect(await journal.read(0n, { maxRecords: 5 })).toHaveLength(5);
    await expect(journal.read(0n)).rejects.toMatchObject({
      code: 'JOURNAL_CORRUPT',
      file: FIRST,
      position: SEGMENT_START + 5 * SIZE,
      offset: 5n,
    });
    expect((await journal.read(100n, { maxRecords: 1 }))[0]!.value.toString()).toBe('00000100');
    await journal.close();
  });
});
