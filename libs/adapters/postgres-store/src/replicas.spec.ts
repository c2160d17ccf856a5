import { testPostgres } from '@sallyport/adapter-embedded-postgres/testing';
import type { TestPostgres } from '@sallyport/adapter-embedded-postgres/testing';
import { TOPICS } from '@sallyport/bus';
import type { LogRecord } from '@sallyport/projections';
import { answerBytes, leaseBytes, sampleLog, sessionBytes } from '@sallyport/projections/testing';
import fc from 'fast-check';
import { TABLES } from './entities.js';
import type { Batch } from './ingest.js';
import { REBUILDS_KEPT } from './rebuild-state.js';
import { openStore } from './store.js';
import type { Store } from './store.js';

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

/** As many replicas on one schema. */
async function replicas(number: number): Promise<{ readonly schema: string; readonly all: readonly Store[] }> {
  count += 1;
  const schema = `replicas_${count}`;
  const all = await Promise.all(
    Array.from({ length: number }, () => openStore({ url: postgres.url(), schema, limits: { maxConnections: 2 } })),
  );
  stores.push(...all);
  return { schema, all };
}

async function dump(schema: string): Promise<Record<string, unknown[]>> {
  const tables = await Promise.all(
    TABLES.map(async ({ name }) => {
      const { rows } = await postgres.query(`SELECT row_to_json(t)::text AS row FROM "${schema}".${name} AS t ORDER BY 1`);
      return [name, rows.map(({ row }) => row as unknown)] as const;
    }),
  );
  return Object.fromEntries(tables);
}

const records = (topic: string, partition: number, bytes: readonly Buffer[]): LogRecord[] =>
  bytes.map((value, index) => ({ topic, partition, offset: BigInt(index), bytes: value, vouched: true }));

const cut = (all: readonly LogRecord[], from: number, to: number): Batch => ({
  topic: all[0]!.topic,
  partition: all[0]!.partition,
  records: all.slice(from, to),
  firstOffset: BigInt(from),
  nextOffset: BigInt(Math.min(to, all.length)),
});

/** Sessions over three partitions, answers over two, leases in one: each session, approver and lease in one of them. */
const log = sampleLog(9);
const spread = (topic: string, bytes: readonly Buffer[], partitions: number, keyOf: (text: string) => number): LogRecord[][] =>
  Array.from({ length: partitions }, (_, partition) =>
    records(
      topic,
      partition,
      bytes.filter((one) => keyOf(one.toString()) % partitions === partition),
    ),
  );
const LOGS: readonly LogRecord[][] = [
  ...spread(TOPICS.sessions, log.sessions, 3, (text) => Number(/"sessionid":"s-(\d+)"/.exec(text)![1])),
  ...spread(TOPICS.control, log.control, 2, (text) => (text.includes('"subject":"dana"') ? 0 : 1)),
  ...spread(TOPICS.leases, log.leases, 1, () => 0),
];

describe('replicas', () => {
  it('P7: come to the same tables whatever the interleaving of partitions and topics, and of who writes', async () => {
    const straight = await replicas(1);
    for (const all of LOGS) await straight.all[0]!.applyBatch(cut(all, 0, all.length));
    const expected = await dump(straight.schema);
    expect(expected['events']!.length).toBe(LOGS.flat().length);
    const step = fc.record({ log: fc.nat(LOGS.length - 1), size: fc.integer({ min: 1, max: 25 }), who: fc.nat(1), together: fc.boolean() });
    const steps = fc.array(step, { minLength: 10, maxLength: 40 });
    const property = fc.asyncProperty(steps, async (order) => {
      const { schema, all } = await replicas(2);
      const at = LOGS.map(() => 0);
      let waiting: Batch[] = [];
      const flush = async (who: number): Promise<void> => {
        const outcomes = await all[who]!.applyBatches(waiting);
        for (const outcome of outcomes) expect(outcome).not.toBeInstanceOf(Error);
        waiting = [];
      };
      const next = (which: number, size: number): Batch | undefined => {
        const from = at[which]!;
        const whole = LOGS[which]!;
        if (from >= whole.length) return undefined;
        at[which] = Math.min(from + size, whole.length);
        return cut(whole, from, from + size);
      };
      for (const { log: which, size, who, together } of order) {
        if (waiting.some(({ topic, partition }) => topic === LOGS[which]![0]!.topic && partition === LOGS[which]![0]!.partition)) {
          await flush(who);
        }
        const batch = next(which, size);
        if (batch) waiting.push(batch);
        if (!together) await flush(who);
      }
      await flush(0);
      for (const which of LOGS.keys()) {
        const rest = next(which, 1000);
        if (rest) await all[1]!.applyBatch(rest);
      }
      expect(await dump(schema)).toEqual(expected);
    });
    await fc.assert(property, { numRuns: 8 });
  });

  it('P7: a replica that is late with a batch of a partition that has moved changes nothing, and nothing is missing', async () => {
    const { schema, all } = await replicas(2);
    const [zombie, owner] = [all[0]!, all[1]!];
    const sessions = records(TOPICS.sessions, 0, log.sessions);
    await zombie.applyBatch(cut(sessions, 0, 10));
    // The new owner goes on from the store's place; the old one wakes up with what it had in hand.
    await owner.applyBatch(cut(sessions, 10, 20));
    expect(await zombie.applyBatch(cut(sessions, 10, 15))).toEqual({ records: 0, unreadable: 0 });
    expect(await zombie.applyBatch(cut(sessions, 10, 25))).toEqual({ records: 5, unreadable: 0 });
    expect(await owner.applyBatch(cut(sessions, 20, 30))).toEqual({ records: 5, unreadable: 0 });
    await expect(zombie.applyBatch(cut(sessions, 31, 35))).rejects.toMatchObject({ code: 'STORE_GAP' });
    await Promise.all([owner.applyBatch(cut(sessions, 30, sessions.length)), zombie.applyBatch(cut(sessions, 25, 40))]);
    await owner.applyBatch(cut(sessions, 30, sessions.length));
    const other = await replicas(1);
    await other.all[0]!.applyBatch(cut(sessions, 0, sessions.length));
    expect(await dump(schema)).toEqual(await dump(other.schema));
  });

  it('takes several partitions in one transaction, also when one of them does not fit', async () => {
    const { all } = await replicas(1);
    const outcomes = await all[0]!.applyBatches([cut(LOGS[0]!, 0, 5), cut(LOGS[1]!, 3, 6), cut(LOGS[3]!, 0, 2)]);
    expect(outcomes).toMatchObject([{ records: 5 }, { code: 'STORE_GAP' }, { records: 2 }]);
    expect((await all[0]!.positions()).map(({ topic, partition, next }) => [topic, partition, next])).toEqual([
      [TOPICS.control, 0, 2n],
      [TOPICS.sessions, 0, 5n],
    ]);
  });
});

describe('copies', () => {
  const bytes = sessionBytes({ id: 's-1', operations: 3 });
  const once = async (): Promise<Record<string, unknown[]>> => {
    const { schema, all } = await replicas(1);
    await all[0]!.applyBatch(cut(records(TOPICS.sessions, 0, bytes), 0, bytes.length));
    return dump(schema);
  };

  it('P7: count once, however often and in whatever batches they come: 5, 6, 7 and 5, 6, 7 again', async () => {
    const expected = await once();
    const twice = [...bytes.slice(0, 8), ...bytes.slice(5, 8), ...bytes.slice(5, 8), ...bytes.slice(8), ...bytes];
    for (const size of [1, 4, 1000]) {
      const { schema, all } = await replicas(1);
      const log = records(TOPICS.sessions, 0, twice);
      let applied = 0;
      for (let at = 0; at < log.length; at += size) applied += (await all[0]!.applyBatch(cut(log, at, at + size))).records;
      const tables = await dump(schema);
      expect(applied).toBe(bytes.length);
      expect({ ...tables, offsets: [], events: [] }).toEqual({ ...expected, offsets: [], events: [] });
      expect(tables['events']!.length).toBe(bytes.length);
    }
  });

  it('P7: keep what takes the place of another event as a problem; the first one stands', async () => {
    const forged = Buffer.from(bytes[5]!.toString().replace('crew-stock', 'crew-other'));
    const answer = answerBytes('s-1', 1, 'dana', 0);
    const lease = leaseBytes('s-1', ['lease.dropped']);
    const other = Buffer.from(lease[1]!.toString().replace('lease.dropped', 'lease.swept'));
    const expected = await once();
    const dumps: unknown[] = [];
    for (const size of [1, 1000]) {
      const { schema, all } = await replicas(1);
      const store = all[0]!;
      const put = async (topic: string, values: readonly Buffer[]): Promise<number> => {
        const log = records(topic, 0, values);
        let unreadable = 0;
        for (let at = 0; at < log.length; at += size) unreadable += (await store.applyBatch(cut(log, at, at + size))).unreadable;
        return unreadable;
      };
      expect(await put(TOPICS.sessions, [...bytes.slice(0, 8), forged, ...bytes.slice(8), forged])).toBe(2);
      const tables = await dump(schema);
      expect(tables['sessions']).toEqual(expected['sessions']);
      expect(tables['operations']).toEqual(expected['operations']);
      expect((await store.events('s-1')).map((event) => event.bytes)).toEqual(bytes);
      expect(await put(TOPICS.control, [answer, Buffer.from(answer.toString().replace('approval.given', 'approval.refused'))])).toBe(1);
      expect(await put(TOPICS.leases, [...lease, other])).toBe(1);
      expect((await store.hold('s-1-h1'))?.answers).toMatchObject([{ granted: true }]);
      expect((await store.leases()).rows).toMatchObject([{ state: 'dropped' }]);
      expect(await store.statistics()).toMatchObject({ unreadable: 4, events: bytes.length });
      const { rows } = await postgres.query(`SELECT problem, bytes FROM "${schema}".events WHERE problem IS NOT NULL AND topic = $1`, [
        TOPICS.sessions,
      ]);
      expect(rows).toEqual([1, 2].map(() => ({ problem: 'EVENT_CONFLICT', bytes: forged })));
      dumps.push(await dump(schema));
    }
    expect(dumps[0]).toEqual(dumps[1]);
  });
});

describe('a place that is taken without a trace in the folds', () => {
  it('keeps nobody from getting on: what stands there stays', async () => {
    const { schema, all } = await replicas(1);
    const bytes = sessionBytes({ id: 's-1' });
    await postgres.query(
      `INSERT INTO "${schema}".events (topic, partition, "offset", session, sequence, bytes) VALUES ('x', 9, 0, 's-1', 3, '')`,
    );
    expect(await all[0]!.applyBatch(cut(records(TOPICS.sessions, 0, bytes), 0, bytes.length))).toMatchObject({ records: bytes.length });
    const { rows } = await postgres.query(`SELECT topic, sequence FROM "${schema}".events WHERE sequence IN (2, 3) ORDER BY sequence`);
    expect(rows).toEqual([
      { topic: TOPICS.sessions, sequence: 2 },
      { topic: 'x', sequence: 3 },
    ]);
  });
});

describe('a rebuild', () => {
  it('P7: takes what other replicas wrote up to the moment of the swap, and they go on behind it', async () => {
    const { schema, all } = await replicas(2);
    const [one, other] = [all[0]!, all[1]!];
    const sessions = records(TOPICS.sessions, 0, log.sessions);
    await other.applyBatch(cut(sessions, 0, 20));
    const rebuild = await one.beginRebuild('r-1');
    await rebuild.applyBatch(cut(sessions, 0, 15));
    let late: Promise<unknown> | undefined;
    await rebuild.swap(async () => {
      // It waits: what it writes is behind the swap.
      late = other.applyBatch(cut(sessions, 20, sessions.length));
      await rebuild.applyBatch(cut(sessions, 15, 20));
      return [];
    });
    expect(await late).toMatchObject({ records: sessions.length - 20 });
    const whole = await replicas(1);
    await whole.all[0]!.applyBatch(cut(sessions, 0, sessions.length));
    expect(await dump(schema)).toEqual(await dump(whole.schema));
    expect(await other.rebuildState()).toMatchObject({ id: 'r-1', state: 'done', failure: null });
  });

  it('is seen by every replica: running, failed, lost with its process, or never begun', async () => {
    const { all } = await replicas(2);
    const [one, other] = [all[0]!, all[1]!];
    expect(await other.rebuildState()).toBeNull();
    const rebuild = await one.beginRebuild('r-1');
    expect(rebuild.state).toMatchObject({ id: 'r-1', state: 'running' });
    expect(await other.rebuildState()).toEqual(rebuild.state);
    await expect(other.beginRebuild('r-2')).rejects.toMatchObject({ code: 'STORE_REBUILDING' });
    await rebuild.abandon('PROJECTOR_CLOSED');
    expect(await other.rebuildState()).toMatchObject({ state: 'failed', failure: 'PROJECTOR_CLOSED' });
    await one.beginRebuild('r-3');
    // What a kill does to it: every connection is gone.
    await postgres.query(
      `SELECT pg_terminate_backend(pid) FROM pg_locks JOIN pg_stat_activity USING (pid) WHERE locktype = 'advisory' AND datname = current_database()`,
    );
    for (let state: string | undefined; state !== 'failed';) state = (await other.rebuildState('r-3').catch(() => null))?.state;
    expect(await other.rebuildState('r-3')).toMatchObject({ failure: 'STORE_REBUILD_LOST' });
    expect(await other.rebuildState('r-1')).toMatchObject({ failure: 'PROJECTOR_CLOSED' });
  });

  it('is remembered for as long as there are not too many', async () => {
    const { all } = await replicas(1);
    for (let index = 0; index <= REBUILDS_KEPT; index += 1) await (await all[0]!.beginRebuild(`r-${index}`)).abandon('X');
    expect(await all[0]!.rebuildState('r-0')).toBeNull();
    expect(await all[0]!.rebuildState('r-1')).not.toBeNull();
  });
});
