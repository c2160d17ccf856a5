import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MessageChannel } from 'node:worker_threads';
import { connectBus, openEmbeddedBus, serveBus } from '@sallyport/adapter-embedded-bus';
import { testPostgres } from '@sallyport/adapter-embedded-postgres/testing';
import type { TestPostgres } from '@sallyport/adapter-embedded-postgres/testing';
import { openStore } from '@sallyport/adapter-postgres-store';
import type { Store } from '@sallyport/adapter-postgres-store';
import { TOPICS } from '@sallyport/bus';
import type { Bus } from '@sallyport/bus';
import { generateSigningKey, split } from '@sallyport/events';
import { logName, parseCheckpoint, signCheckpoint, verifyLog } from '@sallyport/ledger';
import { answerBytes, edgeKey, sampleLog, sessionBytes } from '@sallyport/projections/testing';
import { createProjector } from './create-projector.js';
import type { Projector, ProjectorOptions } from './create-projector.js';
import { ProjectorMetrics } from './metrics.js';

const LOG = logName(TOPICS.sessions, 0);
const ledgerKey = generateSigningKey('ledger/test');
const TABLES = ['sessions', 'operations', 'holds', 'leases', 'runs', 'events', 'offsets'];

let postgres: TestPostgres;
let schema: string;
let dir: string;
let count = 0;
let ends: (() => Promise<unknown>)[] = [];
let messages: { readonly level: string; readonly fields: object; readonly message: string }[] = [];

beforeAll(async () => {
  postgres = await testPostgres();
});

afterAll(() => postgres.stop());

beforeEach(async () => {
  count += 1;
  schema = `projector_${count}`;
  dir = await mkdtemp(join(tmpdir(), 'sallyport-projector-'));
  ends = [];
  messages = [];
});

afterEach(async () => {
  for (const end of ends.reverse()) await end();
  await rm(dir, { recursive: true });
});

const logger = (level: string) => (fields: object, message: string) => void messages.push({ level, fields, message });
const log = { info: logger('info'), warn: logger('warn'), error: logger('error') };

async function openBus(name = 'bus'): Promise<Bus> {
  const bus = await openEmbeddedBus({ dir: join(dir, name), preallocateBytes: 0, segmentBytes: 2 ** 20 });
  ends.push(() => bus.close());
  return bus;
}

async function start(bus: Bus, options: Partial<ProjectorOptions> = {}): Promise<Projector> {
  const projector = await createProjector({ bus, storeUrl: postgres.url(), schema, ledgerKey, log, checkpointEveryMs: 20, ...options });
  let closing: Promise<void> | undefined;
  const once = { ...projector, close: () => (closing ??= projector.close()) };
  ends.push(once.close);
  return once;
}

async function reader(): Promise<Store> {
  const store = await openStore({ url: postgres.url(), schema, limits: { maxConnections: 2 } });
  ends.push(() => store.close());
  return store;
}

/** Everything of one topic, large events in chunks. */
async function write(bus: Bus, topic: string, all: readonly Buffer[], chunkMaxBytes = 2 ** 20): Promise<void> {
  const chunks = all.flatMap((bytes, index) => split(`${topic}-${index}-${bytes.length}`, bytes, chunkMaxBytes));
  await bus.produce(
    topic,
    chunks.map(({ headers, value }) => ({ key: 'k', value, headers })),
  );
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 5));
}

const caughtUp = async (projector: Projector): Promise<boolean> => {
  const { topics, notReady } = await projector.status();
  return notReady.length === 0 && topics.length === 3 && topics.every(({ lag }) => lag === 0n);
};

const signed = async (projector: Projector, events: number): Promise<boolean> => {
  const { checkpoints } = await projector.status();
  return checkpoints[0]?.signed === events;
};

async function dump(name: string): Promise<unknown> {
  const tables: Record<string, unknown> = {};
  for (const table of TABLES) {
    const { rows } = await postgres.query(`SELECT row_to_json(t)::text AS row FROM "${name}".${table} AS t ORDER BY 1`);
    tables[table] = rows.map(({ row }) => row as unknown);
  }
  return tables;
}

/** What anyone with the public key says of the log. */
async function verified(bus: Bus, topic = TOPICS.sessions) {
  const records = async (name: string) => {
    const [end] = await bus.ends(name);
    const all = [];
    for (let offset = 0n; offset < end!.next;) {
      const read = await bus.read(name, 0, offset, 1000);
      all.push(...read);
      offset = read.at(-1)!.offset + 1n;
    }
    return all;
  };
  const notes = (await records(TOPICS.checkpoints)).map(({ value, offset }) => ({ note: value.toString(), offset }));
  const items = (await records(topic)).map(({ value, offset }) => ({ kind: 'event' as const, offset, bytes: value }));
  return verifyLog({ log: LOG, items, checkpoints: notes, keys: { trusted: [ledgerKey, edgeKey], origin: 'given' } });
}

async function writeSample(bus: Bus, sessions = 6): Promise<ReturnType<typeof sampleLog>> {
  const sample = sampleLog(sessions);
  await write(bus, TOPICS.sessions, sample.sessions);
  await write(bus, TOPICS.control, sample.control);
  await write(bus, TOPICS.leases, sample.leases);
  return sample;
}

describe('the read model', () => {
  it('P7: follows the log over a port, goes on after a restart, and is equal to one made anew', async () => {
    const owner = await openBus();
    const { port1, port2 } = new MessageChannel();
    const served = serveBus(owner, port1);
    ends.push(() => served.close());
    const bus = connectBus(port2);
    const metrics = new ProjectorMetrics();
    const first = await start(bus, { metrics });
    const sample = sampleLog(6);
    await write(owner, TOPICS.sessions, sample.sessions.slice(0, 30));
    await write(owner, TOPICS.control, sample.control);
    await until(() => caughtUp(first));
    await first.close();
    await write(owner, TOPICS.sessions, sample.sessions.slice(30));
    await write(owner, TOPICS.leases, sample.leases);
    const second = await start(bus, { metrics });
    await until(() => caughtUp(second));
    expect(await metrics.registry.getSingleMetricAsString('sallyport_projector_records_total')).toContain(
      `{topic="${TOPICS.sessions}"} ${sample.sessions.length}`,
    );
    const live = await dump(schema);
    await second.rebuild();
    expect(await dump(schema)).toEqual(live);
    expect((await (await reader()).statistics()).sessions).toEqual({ open: 1, closed: 3, aborted: 2 });
    expect(await caughtUp(second)).toBe(true);
  });

  it('P7: is rebuilt while events go on coming', async () => {
    const bus = await openBus();
    const projector = await start(bus);
    await writeSample(bus, 4);
    const more = (async () => {
      for (let index = 0; index < 20; index += 1) await write(bus, TOPICS.sessions, sessionBytes({ id: `more-${index}`, run: 'r' }));
    })();
    await Promise.all([projector.rebuild(), projector.rebuild(), more]);
    await until(() => caughtUp(projector));
    const live = await dump(schema);
    await projector.rebuild();
    expect(await dump(schema)).toEqual(live);
    expect((await (await reader()).run('r'))?.sessions).toBe(20);
  });

  it('gives a rebuild up when it is closed, and leaves the live model as it was', async () => {
    const bus = await openBus();
    const projector = await start(bus);
    await writeSample(bus);
    await until(() => caughtUp(projector));
    const live = await dump(schema);
    const rebuilding = projector.rebuild().catch((error: unknown) => error);
    await projector.close();
    expect(await rebuilding).toMatchObject({ code: 'PROJECTOR_CLOSED' });
    expect(await dump(schema)).toEqual(live);
  });

  it('puts the chunks of a large event together, and loses none over a restart in the middle of one', async () => {
    const bus = await openBus();
    const bytes = sessionBytes({ id: 's-1', operations: 2 });
    const [opened, ...rest] = bytes;
    const chunks = split('s-1:0', opened!, 200).map(({ headers, value }) => ({ key: 's-1', headers, value }));
    const first = await start(bus);
    await bus.produce(TOPICS.sessions, chunks.slice(0, 2));
    await write(bus, TOPICS.sessions, sessionBytes({ id: 's-2' }));
    await until(() => caughtUp(first));
    await first.close();
    const second = await start(bus);
    await bus.produce(TOPICS.sessions, chunks.slice(2));
    await write(bus, TOPICS.sessions, rest, 300);
    await until(() => caughtUp(second));
    const total = bytes.length + sessionBytes({ id: 's-2' }).length;
    await until(() => signed(second, total));
    const store = await reader();
    expect((await store.events('s-1')).map((event) => event.bytes)).toEqual(bytes);
    expect(await store.session('s-2')).toMatchObject({ state: 'closed', events: sessionBytes({ id: 's-2' }).length });
    const live = await dump(schema);
    await second.rebuild();
    expect(await dump(schema)).toEqual(live);
  });

  it('keeps going over an outage of the store, and the log is signed meanwhile', async () => {
    const bus = await openBus();
    const database = `outage_${count}`;
    await postgres.query(`CREATE DATABASE ${database}`);
    const projector = await start(bus, { storeUrl: postgres.url(database) });
    await write(bus, TOPICS.sessions, sessionBytes({ id: 's-1' }));
    await until(() => caughtUp(projector));
    await postgres.query(`ALTER DATABASE ${database} ALLOW_CONNECTIONS false`);
    await postgres.query('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1', [database]);
    await write(bus, TOPICS.sessions, sessionBytes({ id: 's-2' }));
    await until(async () => (await projector.status()).notReady.some((reason) => reason.startsWith(TOPICS.sessions)));
    await until(() => signed(projector, 2 * sessionBytes({ id: 's-1' }).length));
    await postgres.query(`ALTER DATABASE ${database} ALLOW_CONNECTIONS true`);
    await until(() => caughtUp(projector));
    const { rows } = await postgres.query(`SELECT id, events::int FROM "${schema}".sessions ORDER BY id`, [], database);
    const events = sessionBytes({ id: 's-1' }).length;
    expect(rows).toEqual([
      { id: 's-1', events },
      { id: 's-2', events },
    ]);
  });

  it('starts without a store and finds it later; a URL that can never do is refused', async () => {
    const bus = await openBus();
    const database = `late_${count}`;
    const projector = await start(bus, { storeUrl: postgres.url(database) });
    await write(bus, TOPICS.sessions, sessionBytes({ id: 's-1' }));
    await until(async () => (await projector.status()).notReady.length > 0);
    await postgres.query(`CREATE DATABASE ${database}`);
    await until(() => caughtUp(projector));
    await expect(start(bus, { storeUrl: 'http://x' })).rejects.toMatchObject({ code: 'STORE_OPTION' });
    expect(JSON.stringify(messages)).not.toContain('postgres://');
  });

  it('P7: makes a read model that was dropped, or put back to an earlier state, again from the log', async () => {
    const bus = await openBus();
    const projector = await start(bus);
    await writeSample(bus);
    await until(() => caughtUp(projector));
    const live = await dump(schema);
    await postgres.query(`DROP SCHEMA "${schema}" CASCADE`);
    await write(bus, TOPICS.control, [answerBytes('s-0', 77, 'dana', 0)]);
    await write(bus, TOPICS.sessions, sessionBytes({ id: 'last' }));
    const there = async (): Promise<boolean> => {
      const { rows } = await postgres.query('SELECT to_regclass($1) IS NOT NULL AS there', [`"${schema}".offsets`]);
      if (rows[0]?.['there'] !== true) return false;
      return (await postgres.query(`SELECT 1 FROM "${schema}".sessions WHERE id = 'last'`)).rowCount === 1;
    };
    await until(there);
    await until(() => caughtUp(projector));
    await projector.rebuild();
    const again = (await dump(schema)) as Record<string, unknown[]>;
    for (const row of (live as Record<string, unknown[]>)['sessions']!) expect(again['sessions']).toContainEqual(row);
    expect(again['leases']).toEqual((live as Record<string, unknown[]>)['leases']);
  });

  it('does not go on with a store that is ahead of the log until it is rebuilt', async () => {
    const [bus, other] = [await openBus(), await openBus('other')];
    const first = await start(bus);
    await writeSample(bus);
    await until(() => caughtUp(first));
    await first.close();
    await write(other, TOPICS.sessions, sessionBytes({ id: 's-1' }));
    const second = await start(other);
    await until(async () => (await second.status()).notReady.includes(`${TOPICS.sessions}: PROJECTOR_LOG_SHORTER`));
    await second.rebuild();
    await until(() => caughtUp(second));
    expect((await (await reader()).sessions()).rows.map(({ id }) => id)).toEqual(['s-1']);
  });
});

describe('checkpoints', () => {
  const notes = async (bus: Bus) => (await bus.read(TOPICS.checkpoints, 0, 0n, 1000)).map(({ value }) => parseCheckpoint(value.toString()));

  it('P6: sign an empty log, every so many events, after a while, and at the end; the log verifies', async () => {
    const bus = await openBus();
    const projector = await start(bus, { checkpointEveryEvents: 10, checkpointEveryMs: 3_600_000 });
    await until(() => signed(projector, 0));
    const { sessions } = await writeSample(bus);
    await until(() => signed(projector, Math.floor(sessions.length / 10) * 10));
    await projector.close();
    const sizes = (await notes(bus)).map(({ size }) => size);
    expect(sizes).toEqual([...Array.from({ length: Math.floor(sessions.length / 10) + 1 }, (_, index) => index * 10), sessions.length]);
    const report = await verified(bus);
    expect(report).toMatchObject({ checkpoints: { count: sizes.length, covered: sessions.length }, uncovered: 0, events: sessions.length });
    expect(report.integrity).toMatchObject({ ok: true });
  });

  it('P6: go on after a restart without reading the log again', async () => {
    const bus = await openBus();
    const first = await start(bus);
    await write(bus, TOPICS.sessions, sessionBytes({ id: 's-1', operations: 5 }));
    await until(() => caughtUp(first));
    await first.close();
    const [before] = await bus.ends(TOPICS.sessions);
    const offsets: unknown[] = [];
    const watched: Bus = {
      produce: (...given) => bus.produce(...given),
      consume: (options) => {
        if (options.topic === TOPICS.sessions) offsets.push(options.start);
        return bus.consume(options);
      },
      read: (...given) => bus.read(...given),
      ends: (topic) => bus.ends(topic),
      close: () => bus.close(),
    };
    const second = await start(watched);
    await until(() => caughtUp(second));
    expect(offsets).toEqual([1, 2].map(() => ({ at: 'offsets', offsets: { 0: before!.next } })));
    await write(bus, TOPICS.sessions, sessionBytes({ id: 's-2' }));
    await second.close();
    expect(await verified(bus)).toMatchObject({ integrity: { ok: true }, uncovered: 0, notes: expect.anything() as unknown });
  });

  it('P6: read the log anew when what was saved does not fit, and pass over notes that are not theirs', async () => {
    const bus = await openBus();
    const first = await start(bus);
    await write(bus, TOPICS.sessions, sessionBytes({ id: 's-1' }));
    await first.close();
    const newest = (await bus.read(TOPICS.checkpoints, 0, 0n, 1000)).at(-1)!;
    const headers = { ...newest.headers, frontier: newest.headers['frontier']!.replace(/"[A-Za-z0-9]/, '"_') };
    await bus.produce(TOPICS.checkpoints, [{ key: LOG, value: newest.value, headers }]);
    await bus.produce(TOPICS.checkpoints, [
      { key: LOG, value: Buffer.from(newest.value.toString().replace('ledger/test', 'ledger/else')) },
    ]);
    const forged = signCheckpoint({ log: LOG, size: 999, root: Buffer.alloc(32) }, generateSigningKey('ledger/test'));
    await bus.produce(TOPICS.checkpoints, [{ key: LOG, value: Buffer.from(forged) }]);
    await bus.produce(TOPICS.checkpoints, [{ key: LOG, value: Buffer.from('nothing') }]);
    const second = await start(bus);
    await write(bus, TOPICS.sessions, sessionBytes({ id: 's-2' }));
    await until(() => signed(second, 2 * sessionBytes({ id: 's-1' }).length));
    expect(messages.map(({ message }) => message)).toContain('the log is read anew to sign on');
    expect((await second.status()).notReady).toEqual([]);
  });

  it.each([
    [
      'altered',
      (all: Buffer[]) => all.map((bytes, index) => (index === 2 ? Buffer.from(bytes.toString().replace('stock', 'stick')) : bytes)),
    ],
    ['cut', (all: Buffer[]) => all.slice(0, -1)],
    ['emptied', () => []],
  ])('P6: never sign a log that was %s after it was signed, and say so', async (_, change) => {
    const [bus, other] = [await openBus(), await openBus('other')];
    const first = await start(bus);
    const all = sessionBytes({ id: 's-1', operations: 3 });
    await write(bus, TOPICS.sessions, all);
    await first.close();
    // The same checkpoints beside another log, and nothing that would let it be taken up in the middle.
    for (const { value } of await bus.read(TOPICS.checkpoints, 0, 0n, 1000)) {
      await other.produce(TOPICS.checkpoints, [{ key: LOG, value }]);
    }
    await write(other, TOPICS.sessions, change(all));
    const checkpointsBefore = (await other.ends(TOPICS.checkpoints))[0]!.next;
    const metrics = new ProjectorMetrics();
    schema = `${schema}_b`;
    const second = await start(other, { metrics });
    await until(async () => (await second.status()).checkpoints[0]?.state === 'diverged');
    await write(other, TOPICS.sessions, sessionBytes({ id: 's-3', operations: 3 }));
    await until(async () => (await second.status()).topics.every(({ lag }) => lag === 0n));
    expect((await second.status()).notReady).toEqual([`${LOG}: LEDGER_DIVERGED`]);
    await second.close();
    expect((await other.ends(TOPICS.checkpoints))[0]!.next).toBe(checkpointsBefore);
    expect(messages.filter(({ level }) => level === 'error')).toMatchObject([{ fields: { log: LOG, code: 'LEDGER_DIVERGED' } }]);
    expect(await metrics.registry.getSingleMetricAsString('sallyport_checkpoint_diverged')).toContain('} 1');
  });

  it('P6: find a cut also when they could have gone on from where they were', async () => {
    const [bus, other] = [await openBus(), await openBus('other')];
    const first = await start(bus);
    const all = sessionBytes({ id: 's-1', operations: 3 });
    await write(bus, TOPICS.sessions, all);
    await first.close();
    for (const { value, headers } of await bus.read(TOPICS.checkpoints, 0, 0n, 1000)) {
      await other.produce(TOPICS.checkpoints, [{ key: LOG, value, headers }]);
    }
    await write(other, TOPICS.sessions, all.slice(0, -1));
    schema = `${schema}_b`;
    const second = await start(other);
    await until(async () => (await second.status()).checkpoints[0]?.state === 'diverged');
  });

  it('P6: keep an event that can not be joined in its place', async () => {
    const bus = await openBus();
    const [, chunk] = split('x', Buffer.alloc(100), 40);
    const projector = await start(bus);
    await bus.produce(TOPICS.sessions, [{ key: 'x', value: chunk!.value, headers: chunk!.headers }]);
    await until(() => signed(projector, 1));
    await until(() => caughtUp(projector));
    expect(await (await reader()).statistics()).toMatchObject({ unreadable: 1 });
  });

  it('are tried again when the bus does not take them', async () => {
    const bus = await openBus();
    let refuse = true;
    const flaky: Bus = {
      produce: (topic, records) => (refuse ? Promise.reject(new Error('full')) : bus.produce(topic, records)),
      consume: (options) => bus.consume(options),
      read: (...given) => bus.read(...given),
      ends: (topic) => bus.ends(topic),
      close: () => bus.close(),
    };
    const projector = await start(flaky);
    await write(bus, TOPICS.sessions, sessionBytes({ id: 's-1' }));
    await until(async () => (await projector.status()).notReady.length > 0);
    refuse = false;
    await until(() => signed(projector, sessionBytes({ id: 's-1' }).length));
    await until(() => caughtUp(projector));
    await projector.close();
    expect((await verified(bus)).integrity).toMatchObject({ ok: true });
  });
});
