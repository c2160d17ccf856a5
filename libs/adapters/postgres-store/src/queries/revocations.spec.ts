import { testPostgres } from '@sallyport/adapter-embedded-postgres/testing';
import type { TestPostgres } from '@sallyport/adapter-embedded-postgres/testing';
import { TOPICS } from '@sallyport/bus';
import type { LogRecord } from '@sallyport/projections';
import { records, sampleLog, sessionBytes } from '@sallyport/projections/testing';
import { openStore } from '../store.js';
import type { Store } from '../store.js';

let postgres: TestPostgres;
const stores: Store[] = [];

beforeAll(async () => {
  postgres = await testPostgres();
});
afterAll(async () => {
  await Promise.all(stores.map((store) => store.close()));
  await postgres.stop();
});

async function fresh(): Promise<Store> {
  const store = await openStore({ url: postgres.url(), schema: `sallyport_${stores.length}` });
  stores.push(store);
  return store;
}

async function apply(store: Store, all: readonly LogRecord[], from = 0): Promise<void> {
  const { topic } = all[0]!;
  const nextOffset = BigInt(all.length);
  await store.applyBatch({ topic, partition: 0, records: all.slice(from), firstOffset: BigInt(from), nextOffset });
}

describe('revocations', () => {
  it('are found by whom they are about', async () => {
    const store = await fresh();
    await apply(store, records(TOPICS.control, sampleLog(8).control));
    expect((await store.revocations({ session: 's-1' })).rows.map(({ id }) => id)).toEqual(['s-1-r-edge/e1']);
    expect((await store.revocations({ kind: 'principal', principal: 'crew-1' })).rows).toHaveLength(3);
    expect((await store.revocations({ principal: 'nobody' })).rows).toEqual([]);
    expect((await store.revocation('s-1-r-edge/e1'))?.session).toBe('s-1');
    expect(await store.acknowledgements([])).toEqual([]);
  });
});

describe('holds', () => {
  it('P10: a hold whose id another session uses too is not shown: nobody is to approve the one and have read the other', async () => {
    const own = await fresh();
    const waiting = sessionBytes({ id: 's-1', end: 'open', waiting: true });
    await apply(own, records(TOPICS.sessions, waiting));
    expect((await own.hold('s-1-h1'))?.session).toBe('s-1');
    const copied = sessionBytes({ id: 's-2', end: 'open', waiting: true }).map((bytes) =>
      Buffer.from(bytes.toString().replaceAll('s-2-h1', 's-1-h1')),
    );
    await apply(own, records(TOPICS.sessions, [...waiting, ...copied]), waiting.length);
    expect(await own.hold('s-1-h1')).toBeNull();
    expect((await own.holds()).rows).toEqual([]);
  });
});
