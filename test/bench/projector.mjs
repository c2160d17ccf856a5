import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { Readable } from 'node:stream';
import { openEmbeddedBus } from '@sallyport/adapter-embedded-bus';
import { startEmbeddedPostgres } from '@sallyport/adapter-embedded-postgres';
import { openStore } from '@sallyport/adapter-postgres-store';
import { TOPICS } from '@sallyport/bus';
import { generateSigningKey } from '@sallyport/events';
import { createProjector } from '@sallyport/projector';
import { sessionBytes } from '@sallyport/projections/testing';
import pg from 'pg';
import { from as copyFrom, to as copyTo } from 'pg-copy-streams';

import { interleaved } from './measure/rounds.mjs';

/** A multiple of both, so that every case has the same events. */
const PARTITIONS = [1, 12];
const SESSIONS = 2400;
const OPERATIONS = 3;
const PRODUCED_TOGETHER = 2000;
const TABLES = ['sessions', 'operations', 'holds', 'leases', 'runs', 'events', 'offsets'];
const POLL_MS = 10;

/** How fast a log is caught up with: its rows in a read model, against the same rows by COPY into the same tables with their indexes. */
export async function bench({ rounds, onStop, say }) {
  const base = mkdtempSync(join(os.tmpdir(), 'sallyport-bench-projector-'));
  onStop(async () => rmSync(base, { recursive: true, force: true }));
  say('starting PostgreSQL and writing the logs');
  const server = await startEmbeddedPostgres({ dataDir: join(base, 'store'), database: 'bench', persistent: true });
  onStop(() => server.stop());
  const url = server.url('bench');
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  onStop(() => client.end());
  const { rows: version } = await client.query('SHOW server_version');

  const cases = [];
  for (const partitions of PARTITIONS) {
    const bus = await openEmbeddedBus({ dir: join(base, `bus-${partitions}`), partitions });
    onStop(() => bus.close());
    const events = await fill(bus);
    let runs = 0;
    const schema = () => `bench_${partitions}_${(runs += 1)}`;
    const first = schema();
    await caughtUp({ bus, url, client, schema: first, events });
    const copies = [];
    for (const table of TABLES) copies.push({ table, bytes: await copied(client, `"${first}".${table}`) });
    cases.push({
      work: `${events} events of ${SESSIONS} sessions`,
      clients: partitions,
      peers: [
        { name: 'COPY', run: async () => ({ perSecond: events / (await bareCopy({ client, schema: schema(), like: first, copies })) }) },
        { name: 'projector', run: async () => ({ perSecond: events / (await caughtUp({ bus, url, client, schema: schema(), events })) }) },
      ],
    });
  }
  const rows = await interleaved({ cases, rounds, baselines: ['COPY'], say });
  return {
    title: 'Projector: how fast the read models catch up',
    unit: 'events',
    note: [
      '`clients` is the number of partitions. One projector on one thread reads, checks, folds and signs; COPY writes what came of it, every row of every table once, into the same tables with their indexes.',
    ],
    baselines: ['COPY'],
    versions: { PostgreSQL: version[0].server_version.split(' ')[0] },
    skipped: [],
    rows,
  };
}

async function fill(bus) {
  let waiting = [];
  let events = 0;
  const flush = async () => {
    await bus.produce(TOPICS.sessions, waiting);
    waiting = [];
  };
  for (let index = 0; index < SESSIONS; index += 1) {
    const id = `s-${index}`;
    const bytes = sessionBytes({ id, operations: OPERATIONS, run: `run-${index % 50}` });
    events += bytes.length;
    waiting.push(...bytes.map((value) => ({ key: id, value })));
    if (waiting.length >= PRODUCED_TOGETHER) await flush();
  }
  await flush();
  return events;
}

/** Seconds from the start of a projector until every event is in the tables. */
async function caughtUp({ bus, url, client, schema, events }) {
  const tables = await openStore({ url, schema });
  await tables.close();
  const started = performance.now();
  const projector = await createProjector({
    bus,
    storeUrl: url,
    schema,
    ledgerKey: generateSigningKey('ledger/bench'),
    log: { info() {}, warn() {}, error() {} },
  });
  try {
    for (;;) {
      const { rows } = await client.query(`SELECT coalesce(sum(next), 0)::int AS done FROM "${schema}".offsets`);
      if (rows[0].done === events) return (performance.now() - started) / 1000;
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  } finally {
    await projector.close();
  }
}

async function copied(client, table) {
  const chunks = [];
  for await (const chunk of client.query(copyTo(`COPY ${table} TO STDOUT`))) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** Seconds to write all tables in one transaction. */
async function bareCopy({ client, schema, like, copies }) {
  await client.query(`CREATE SCHEMA "${schema}"`);
  for (const { table } of copies) await client.query(`CREATE TABLE "${schema}".${table} (LIKE "${like}".${table} INCLUDING ALL)`);
  const started = performance.now();
  await client.query('BEGIN');
  for (const { table, bytes } of copies)
    await pipeline(Readable.from([bytes]), client.query(copyFrom(`COPY "${schema}".${table} FROM STDIN`)));
  await client.query('COMMIT');
  return (performance.now() - started) / 1000;
}
