import { hash } from 'node:crypto';
import { testPostgres } from '@sallyport/adapter-embedded-postgres/testing';
import type { TestPostgres } from '@sallyport/adapter-embedded-postgres/testing';
import { TOPICS } from '@sallyport/bus';
import { EMPTY, fold, readEntry } from '@sallyport/projections';
import type { LogRecord } from '@sallyport/projections';
import { answerBytes, leaseBytes, records, sampleLog, sessionBytes } from '@sallyport/projections/testing';
import { DataSource } from 'typeorm';
import { KINDS } from './columns.js';
import { MIGRATIONS } from './data-source.js';
import { TABLES } from './entities.js';
import { openStore } from './store.js';
import type { Store } from './store.js';
import type { Applied } from './ingest.js';

let postgres: TestPostgres;
const stores: Store[] = [];
let count = 0;

beforeAll(async () => {
  postgres = await testPostgres();
});

afterAll(async () => {
  await Promise.all(stores.map((store) => store.close()));
  await postgres.stop();
});

/** Each test has a schema of its own on the one server. */
async function fresh(limits = {}): Promise<{ readonly store: Store; readonly schema: string }> {
  count += 1;
  const schema = `sallyport_${count}`;
  const store = await openStore({ url: postgres.url(), schema, limits });
  stores.push(store);
  return { store, schema };
}

type Target = Pick<Store, 'applyBatch'>;

async function apply(store: Target, all: readonly LogRecord[], from = 0, to = all.length): Promise<Applied> {
  const { topic } = all[0]!;
  return store.applyBatch({ topic, partition: 0, records: all.slice(from, to), firstOffset: BigInt(from), nextOffset: BigInt(to) });
}

const log = sampleLog(8);
const LOG = [records(TOPICS.sessions, log.sessions), records(TOPICS.control, log.control), records(TOPICS.leases, log.leases)] as const;

/** Every row of every table, as text, in the order of its key. */
async function dump(schema: string): Promise<Record<string, unknown[]>> {
  const tables = await Promise.all(
    TABLES.map(async ({ name, key }) => {
      const order = key.map((property) => `"${property}"`).join(', ');
      const { rows } = await postgres.query(`SELECT row_to_json(t) AS row FROM (SELECT * FROM "${schema}".${name} ORDER BY ${order}) AS t`);
      return [name, rows.map(({ row }) => row as unknown)] as const;
    }),
  );
  return Object.fromEntries(tables);
}

describe('tables', () => {
  it('are what the entities say', async () => {
    const { schema } = await fresh();
    for (const { name, columns } of TABLES) {
      const { rows } = await postgres.query(
        'SELECT column_name, data_type, is_nullable FROM information_schema.columns WHERE table_schema = $1 AND table_name = $2 ORDER BY ordinal_position',
        [schema, name],
      );
      const expected = columns.map((column) => {
        const { type } = KINDS[column.kind];
        const dataType = type === 'timestamptz' ? 'timestamp with time zone' : type;
        return { column_name: column.name, data_type: dataType, is_nullable: column.nullable ? 'YES' : 'NO' };
      });
      expect({ name, rows }).toEqual({ name, rows: expected });
    }
  });

  it('are made once when several start together', async () => {
    const opened = await Promise.all([1, 2, 3].map(() => openStore({ url: postgres.url(), schema: 'together' })));
    stores.push(...opened);
    expect(await opened[2]!.positions()).toEqual([]);
    const { rows } = await postgres.query('SELECT count(*)::int AS count FROM together.migrations');
    expect(rows).toEqual([{ count: MIGRATIONS.length }]);
  });

  it('go down again', async () => {
    const { schema } = await fresh();
    const dataSource = new DataSource({
      type: 'postgres',
      url: postgres.url(),
      schema,
      migrations: MIGRATIONS,
    });
    await dataSource.initialize();
    for (const _ of MIGRATIONS) await dataSource.undoLastMigration();
    await dataSource.destroy();
    const { rows } = await postgres.query('SELECT table_name FROM information_schema.tables WHERE table_schema = $1', [schema]);
    expect(rows).toEqual([{ table_name: 'migrations' }]);
  });
});

describe('applyBatch', () => {
  it('P7: stores what the fold says, whole and in small batches, and the bytes as written', async () => {
    const [whole, pieces] = await Promise.all([fresh(), fresh()]);
    for (const stream of LOG) await apply(whole.store, stream);
    // The other way round, and cut at every place.
    for (const stream of [...LOG].reverse()) {
      for (let at = 0; at < stream.length; at += 3) await apply(pieces.store, stream, at, Math.min(at + 3, stream.length));
    }
    expect(await dump(pieces.schema)).toEqual(await dump(whole.schema));

    const folded = fold(EMPTY, LOG.flat().map(readEntry));
    for (const row of folded.sessions.values()) expect(await whole.store.session(row.id)).toEqual(row);
    for (const row of folded.holds.values()) {
      if (row.requested !== null) expect(await whole.store.hold(row.id)).toEqual(row);
    }
    const operations = await Promise.all([...folded.sessions.keys()].map((id) => whole.store.operations(id)));
    expect(new Set(operations.flat())).toEqual(new Set(folded.operations.values()));
    expect(new Set((await whole.store.leases()).rows)).toEqual(new Set(folded.leases.values()));
    expect(new Set((await whole.store.runs()).rows)).toEqual(new Set(folded.runs.values()));
    expect(new Set(await whole.store.services())).toEqual(new Set(folded.services.values()));
    expect(new Set((await whole.store.revocations()).rows)).toEqual(new Set(folded.revocations.values()));
    const acknowledged = await whole.store.acknowledgements([...folded.revocations.keys(), 'elsewhere']);
    expect(new Set(acknowledged)).toEqual(new Set(folded.acknowledgements.values()));

    const { rows } = await postgres.query<{ topic: string; offset: string; digest: string }>(
      `SELECT topic, "offset", encode(sha256(bytes), 'hex') AS digest FROM "${pieces.schema}".events`,
    );
    expect(new Set(rows.map(({ topic, offset, digest }) => `${topic} ${offset} ${digest}`))).toEqual(
      new Set(LOG.flat().map(({ topic, offset, bytes }) => `${topic} ${offset} ${hash('sha256', bytes, 'hex')}`)),
    );
  });

  it('skips what is in already, whole or in part, and refuses a gap', async () => {
    const { store, schema } = await fresh();
    const [sessions] = LOG;
    expect(await apply(store, sessions, 0, 20)).toEqual({ records: 20, unreadable: 0 });
    const before = await dump(schema);
    expect(await apply(store, sessions, 0, 20)).toEqual({ records: 0, unreadable: 0 });
    expect(await apply(store, sessions, 5, 10)).toEqual({ records: 0, unreadable: 0 });
    await expect(apply(store, sessions, 21, 30)).rejects.toMatchObject({ code: 'STORE_GAP' });
    expect(await dump(schema)).toEqual(before);
    expect(await apply(store, sessions, 10, 25)).toEqual({ records: 5, unreadable: 0 });
    expect(await store.startOffset(TOPICS.sessions, 0)).toBe(25n);
    expect(await store.startOffset(TOPICS.sessions, 1)).toBe(0n);
  });

  it('ignores an event that is delivered twice at different offsets', async () => {
    const { store } = await fresh();
    const bytes = sessionBytes({ id: 's-1' });
    await apply(store, records(TOPICS.sessions, [...bytes.slice(0, 5), ...bytes.slice(2, 5), ...bytes.slice(5), ...bytes]));
    const control = [answerBytes('s-1', 1, 'dana', 0), answerBytes('s-1', 1, 'dana', 0)];
    await apply(store, records(TOPICS.control, control));
    expect((await store.events('s-1')).map((event) => event.sequence)).toEqual(bytes.map((_, index) => index));
    expect(await store.session('s-1')).toMatchObject({ operations: 1, events: bytes.length });
    expect((await store.hold('s-1-h1'))?.answers).toHaveLength(1);
    const { rows } = await postgres.query(`SELECT count(*)::int AS count FROM "sallyport_${count}".events WHERE topic = $1`, [
      TOPICS.control,
    ]);
    expect(rows).toEqual([{ count: 1 }]);
  });

  it('keeps events of unknown types, and what is no event with its reason', async () => {
    const { store, schema } = await fresh();
    const [opened] = sessionBytes({ id: 's-1' });
    const unknown = Buffer.from(opened!.toString().replace('"type":"session.opened"', '"type":"session.paused"'));
    const [issued] = leaseBytes('s-1', []);
    const all = records(TOPICS.sessions, [unknown, Buffer.from([0, 1, 0xff, 0x5c]), issued!]);
    expect(await apply(store, all)).toEqual({ records: 3, unreadable: 1 });
    const { rows } = await postgres.query(`SELECT type, session, problem, bytes FROM "${schema}".events ORDER BY "offset"`);
    expect(rows).toEqual([
      { type: 'session.paused', session: 's-1', problem: null, bytes: unknown },
      { type: null, session: null, problem: 'EVENT_MALFORMED', bytes: Buffer.from([0, 1, 0xff, 0x5c]) },
      { type: 'lease.issued', session: null, problem: null, bytes: issued },
    ]);
    expect(await store.session('s-1')).toMatchObject({ events: 1, state: 'open' });
    expect(await store.statistics()).toMatchObject({ events: 1, unreadable: 1, leasesLive: 0 });
  });

  it('takes every text, time and number that an event may hold', async () => {
    const { store } = await fresh();
    const nasty = 'tab\t nl\n cr\r \\N \\ "quote" \u0000 \ud800 😀 \u2028';
    const long = 'x'.repeat(20_000);
    const bytes = sessionBytes({ id: 's-1', run: long }).map((event, index) => {
      const envelope = JSON.parse(event.toString()) as { time: string; data: Record<string, unknown> };
      if (index === 0) {
        envelope.time = '0000-01-01T00:00:00.000Z';
        Object.assign(envelope.data, { database: nasty, profiles: [nasty, '{}', ''] });
        (envelope.data['principal'] as { subject: string }).subject = long;
      }
      if ('rows' in envelope.data && index > 2) envelope.data['rows'] = Array.isArray(envelope.data['rows']) ? [] : Number.MAX_SAFE_INTEGER;
      if ('expires' in envelope.data) envelope.data['expires'] = '2026-02-30T25:00:00Z';
      if ('windowEnds' in envelope.data) envelope.data['windowEnds'] = '+275760-09-13T00:00:00.000Z';
      return Buffer.from(JSON.stringify(envelope));
    });
    const all = records(TOPICS.sessions, bytes);
    await apply(store, all, 0, 4);
    await apply(store, all, 4);
    const row = await store.session('s-1');
    expect(row).toEqual(fold(EMPTY, all.map(readEntry)).sessions.get('s-1'));
    expect(row?.database).toBe(nasty.replace('\u0000', '\ufffd').replace('\ud800', '\ufffd'));
    expect((await store.sessions({ principal: long, run: long })).rows).toEqual([row]);
    expect((await store.events('s-1')).map((event) => event.bytes)).toEqual(bytes);
    expect((await store.hold('s-1-h1'))?.windowEnds).toBe('9999-12-31T23:59:59.999Z');
  });

  it('P7: applies a batch whose connection dies half way not at all, and then once', async () => {
    const { store, schema } = await fresh();
    const [sessions] = LOG;
    await apply(store, sessions, 0, 10);
    const before = await dump(schema);
    // The events are in, uncommitted, and the sessions can't be written yet.
    const lock = new DataSource({ type: 'postgres', url: postgres.url() });
    await lock.initialize();
    const runner = lock.createQueryRunner();
    await runner.startTransaction();
    await runner.query(`LOCK TABLE "${schema}".sessions IN SHARE ROW EXCLUSIVE MODE`);
    const applying = apply(store, sessions, 10, 40);
    const outcome = applying.catch((error: unknown) => error);
    for (let killed = 0; killed === 0;) {
      const { rowCount } = await postgres.query(
        `SELECT pg_terminate_backend(pid) FROM pg_locks WHERE NOT granted AND relation = '"${schema}".sessions'::regclass`,
      );
      killed = rowCount ?? 0;
    }
    expect(await outcome).toMatchObject({ code: 'STORE_UNREACHABLE' });
    await runner.rollbackTransaction();
    await runner.release();
    await lock.destroy();
    expect(await dump(schema)).toEqual(before);
    expect(await apply(store, sessions, 10, 40)).toEqual({ records: 30, unreadable: 0 });
    expect(await apply(store, sessions, 10, 40)).toEqual({ records: 0, unreadable: 0 });
    const other = await fresh();
    await apply(other.store, sessions, 0, 40);
    expect(await dump(schema)).toEqual(await dump(other.schema));
  });

  it('is done once by two who apply the same batches at the same time', async () => {
    const { store, schema } = await fresh();
    const twin = await openStore({ url: postgres.url(), schema });
    stores.push(twin);
    const [sessions] = LOG;
    for (let at = 0; at < sessions.length; at += 20) {
      const to = Math.min(at + 20, sessions.length);
      const done = await Promise.all([apply(store, sessions, at, to), apply(twin, sessions, at, to)]);
      expect(done.map((one) => one.records).sort((a, b) => a - b)).toEqual([0, to - at]);
    }
    const other = await fresh();
    await apply(other.store, sessions);
    expect(await dump(schema)).toEqual(await dump(other.schema));
  });
});

describe('rebuild', () => {
  it('P7: comes out equal to the live model, row by row, and takes its place under readers', async () => {
    const { store, schema } = await fresh();
    for (const stream of [...LOG].reverse()) {
      for (let at = 0; at < stream.length; at += 7) await apply(store, stream, at, Math.min(at + 7, stream.length));
    }
    const live = await dump(schema);
    const rebuild = await store.beginRebuild();
    await expect(store.beginRebuild()).rejects.toMatchObject({ code: 'STORE_REBUILDING' });
    await apply(rebuild, LOG[0]);
    await expect(rebuild.swap()).rejects.toMatchObject({ code: 'STORE_REBUILD_BEHIND' });
    await apply(rebuild, LOG[1]);
    await apply(rebuild, LOG[2]);
    expect(await dump(`${schema}_rebuild`)).toEqual(live);

    const reading = { on: true, times: 0 };
    const counts = new Set<number>();
    const read = async (): Promise<void> => {
      while (reading.on) {
        counts.add((await store.sessions()).rows.length);
        for await (const event of store.allEvents('s-1')) expect(event.session).toBe('s-1');
        reading.times += 1;
      }
    };
    const readers = [read(), read()];
    await rebuild.swap();
    const atSwap = reading.times;
    while (reading.times < atSwap + 4) await new Promise((resolve) => setTimeout(resolve, 1));
    reading.on = false;
    await Promise.all(readers);
    expect(counts).toEqual(new Set([8]));

    expect(await dump(schema)).toEqual(live);
    const { rows } = await postgres.query('SELECT nspname FROM pg_namespace WHERE nspname IN ($1, $2)', [
      `${schema}_rebuild`,
      `${schema}_old`,
    ]);
    expect(rows).toEqual([]);
    // Life goes on, and so may another rebuild.
    await apply(store, records(TOPICS.leases, [...log.leases, ...leaseBytes('s-99', [])]));
    expect((await store.leases({ session: 's-99' })).rows).toHaveLength(1);
    await (await store.beginRebuild()).abandon();
  });

  it('takes the place of a model that was made of a longer log, if it is told where the log ends', async () => {
    const { store } = await fresh();
    await apply(store, LOG[0]);
    const rebuild = await store.beginRebuild();
    await apply(rebuild, LOG[0], 0, 5);
    const end = { topic: TOPICS.sessions, partition: 0 };
    await expect(rebuild.swap([{ ...end, next: 6n }])).rejects.toMatchObject({ code: 'STORE_REBUILD_BEHIND' });
    await rebuild.swap([{ ...end, next: 5n }]);
    expect(await store.startOffset(TOPICS.sessions, 0)).toBe(5n);
  });

  it('leaves the live model alone when it is given up', async () => {
    const { store, schema } = await fresh();
    await apply(store, LOG[0]);
    const live = await dump(schema);
    const rebuild = await store.beginRebuild();
    await apply(rebuild, LOG[0], 0, 5);
    await rebuild.abandon();
    expect(await dump(schema)).toEqual(live);
  });
});

describe('queries', () => {
  let store: Store;

  beforeAll(async () => {
    ({ store } = await fresh({ pageMaxRows: 50 }));
    for (const stream of LOG) await apply(store, stream);
  });

  it('give lists page by page, each row once', async () => {
    const ids: string[] = [];
    for (let cursor: string | null = ''; cursor !== null;) {
      const page: Awaited<ReturnType<Store['sessions']>> = await store.sessions({ limit: 3, ...(cursor === '' ? {} : { cursor }) });
      expect(page.rows.length).toBeLessThanOrEqual(3);
      ids.push(...page.rows.map((row) => row.id));
      cursor = page.next;
    }
    expect(ids).toEqual(['s-7', 's-6', 's-5', 's-4', 's-3', 's-2', 's-1', 's-0']);
    const first = await store.principals({ limit: 1 });
    expect(first).toMatchObject({
      rows: [{ subject: 'crew-stock', sessions: 8, open: 2, lastSeen: '2026-01-02T03:04:11.000Z' }],
      next: null,
    });
  });

  it('filter', async () => {
    const ids = async (filter: Parameters<Store['sessions']>[0]): Promise<string[]> =>
      (await store.sessions(filter)).rows.map((row) => row.id);
    expect(await ids({ state: 'aborted' })).toEqual(['s-5', 's-1']);
    expect(await ids({ run: 'run-1' })).toEqual(['s-1']);
    expect(await ids({ resource: 'shop', principal: 'crew-stock', state: 'open' })).toEqual(['s-6', 's-2']);
    expect(await ids({ since: '2026-01-02T03:04:05.679Z' })).toEqual([]);
    expect(await ids({ since: '2026-01-02T03:04:05.678Z', until: '2026-01-02T03:04:05.679Z' })).toHaveLength(8);
    expect((await store.holds({ state: 'cancelled' })).rows.every((row) => row.state === 'cancelled')).toBe(true);
    expect((await store.holds({ principal: 'crew-stock' })).rows.length).toBeGreaterThan(0);
    expect((await store.holds({ principal: 'nobody' })).rows).toEqual([]);
    expect((await store.leases({ state: 'swept' })).rows).toHaveLength(4);
    expect((await store.runs({ open: false })).rows.map((row) => row.run)).toContain('run-1');
    expect(await store.run('run-1')).toMatchObject({ sessions: 1 });
    expect(await store.hold('s-0-h99')).toBeNull();
    expect(await store.session('nobody')).toBeNull();
  });

  it('give events in order, with their bytes, no more than a page holds', async () => {
    const bytes = sessionBytes({ id: 's-1', operations: 30 });
    const { store: small } = await fresh({ pageMaxBytes: 3000, pageMaxRows: 20 });
    await apply(small, records(TOPICS.sessions, bytes));
    const page = await small.events('s-1', { limit: 1000 });
    expect(page.length).toBeLessThan(20);
    expect(page.length).toBeGreaterThan(0);
    expect(page[0]!.event).toEqual(JSON.parse(bytes[0]!.toString()));
    const [one] = await (await fresh({ pageMaxBytes: 1 })).store.events('s-1');
    expect(one).toBeUndefined();
    const all: Buffer[] = [];
    for await (const event of small.allEvents('s-1')) all.push(event.bytes);
    expect(Buffer.concat(all).equals(Buffer.concat(bytes))).toBe(true);
  });

  it('answer a bad cursor, limit or time with a code', async () => {
    for (const cursor of ['x', Buffer.from('["a"]').toString('base64url'), Buffer.from('[1,2]').toString('base64url')]) {
      await expect(store.sessions({ cursor })).rejects.toMatchObject({ code: 'STORE_CURSOR' });
    }
    for (const bad of [{ limit: 0 }, { limit: 1.5 }, { since: 'yesterday-ish' }, { run: 'a\u0000b' }]) {
      await expect(store.sessions(bad)).rejects.toMatchObject({ code: 'STORE_VALUE' });
    }
    expect((await store.sessions({ limit: 1e9 })).rows).toHaveLength(8);
  });
});

describe('errors', () => {
  it('P3: name no URL and no password', async () => {
    const tell = (error: unknown): string => JSON.stringify([String(error), error, (error as Error).stack]);
    for (const url of ['postgres://me:s3cret@127.0.0.1:1/x', 'postgres://me:s3cret@[bad', 'mysql://me:s3cret@h/x']) {
      const error: unknown = await openStore({ url }).catch((caught: unknown) => caught);
      expect(error).toMatchObject({ code: expect.stringMatching(/^STORE_(OPTION|UNREACHABLE)$/) as string });
      expect(tell(error)).not.toMatch(/s3cret|me:/);
    }
    const wrong = new URL(postgres.url());
    wrong.pathname = '/missing';
    await expect(openStore({ url: wrong.href })).rejects.toMatchObject({ code: 'STORE_FAILED', reason: '3D000' });
    await expect(openStore({ url: postgres.url(), schema: 'No"pe' })).rejects.toMatchObject({ code: 'STORE_OPTION' });
  });
});
