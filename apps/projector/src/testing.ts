/** What the specs of this app stand on: a real Postgres, embedded buses in a directory of their own, and projectors that end with the test. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openEmbeddedBus } from '@sallyport/adapter-embedded-bus';
import { testPostgres } from '@sallyport/adapter-embedded-postgres/testing';
import type { TestPostgres } from '@sallyport/adapter-embedded-postgres/testing';
import { openStore } from '@sallyport/adapter-postgres-store';
import type { Store } from '@sallyport/adapter-postgres-store';
import { TOPICS } from '@sallyport/bus';
import type { Bus, BusRecord, OutgoingRecord } from '@sallyport/bus';
import { generateSigningKey, split } from '@sallyport/events';
import { logName, verifyLog } from '@sallyport/ledger';
import type { VerifyReport } from '@sallyport/ledger';
import { edgeKey, sampleLog } from '@sallyport/projections/testing';
import { isVouchedKind, signRecord, vouch } from '@sallyport/trust';
import { enrolled } from '@sallyport/trust/testing';
import { createProjector } from './create-projector.js';
import type { Projector, ProjectorOptions } from './create-projector.js';

export const LOG = logName(TOPICS.sessions, 0);
const ledgerKey = generateSigningKey('ledger/test');
/** Those whose events the sample log has. */
export const { roster, keys } = enrolled('decision/main', 'console/main', 'edge/e0', 'edge/e1', 'edge/test');
const TABLES = ['sessions', 'operations', 'holds', 'leases', 'runs', 'services', 'revocations', 'acknowledgements', 'events', 'offsets'];

/** The one rig of a spec file. Calling it sets up and tears down around each test. */
export class Rig {
  /** Of the read model; new for each test. */
  schema = '';
  /** Number of the test. */
  count = 0;
  /** What was logged. */
  messages: { readonly level: string; readonly fields: object; readonly message: string }[] = [];
  /** What is to be ended after the test, the last one first. */
  ends: (() => Promise<unknown>)[] = [];
  #postgres: TestPostgres | undefined;
  #dir = '';

  constructor() {
    beforeAll(async () => {
      this.#postgres = await testPostgres();
    });
    afterAll(() => this.postgres.stop());
    beforeEach(async () => {
      this.count += 1;
      this.schema = `projector_${this.count}`;
      this.#dir = await mkdtemp(join(tmpdir(), 'sallyport-projector-'));
      this.ends = [];
      this.messages = [];
    });
    afterEach(async () => {
      for (const end of this.ends.reverse()) await end();
      await rm(this.#dir, { recursive: true });
    });
  }

  get postgres(): TestPostgres {
    if (!this.#postgres) throw new Error('the rig is not up');
    return this.#postgres;
  }

  async openBus(name = 'bus'): Promise<Bus> {
    const bus = await openEmbeddedBus({ dir: join(this.#dir, name), preallocateBytes: 0, segmentBytes: 2 ** 20 });
    this.ends.push(() => bus.close());
    return bus;
  }

  async start(bus: Bus, options: Partial<ProjectorOptions> = {}): Promise<Projector> {
    const logger = (level: string) => (fields: object, message: string) => void this.messages.push({ level, fields, message });
    const projector = await createProjector({
      bus,
      storeUrl: this.postgres.url(),
      schema: this.schema,
      ledgerKey,
      roster,
      log: { info: logger('info'), warn: logger('warn'), error: logger('error') },
      checkpointEveryMs: 20,
      ...options,
    });
    let closing: Promise<void> | undefined;
    const once = { ...projector, close: () => (closing ??= projector.close()) };
    this.ends.push(once.close);
    return once;
  }

  async reader(): Promise<Store> {
    const store = await openStore({ url: this.postgres.url(), schema: this.schema, limits: { maxConnections: 2 } });
    this.ends.push(() => store.close());
    return store;
  }

  /** Every row of every table of the read model, as text. */
  async dump(): Promise<Record<string, unknown[]>> {
    const tables: Record<string, unknown[]> = {};
    for (const table of TABLES) {
      const { rows } = await this.postgres.query(`SELECT row_to_json(t)::text AS row FROM "${this.schema}".${table} AS t ORDER BY 1`);
      tables[table] = rows.map(({ row }) => row as unknown);
    }
    return tables;
  }
}

/** As the service that an event names as its source writes it. */
export function signedAsSource(value: Buffer): OutgoingRecord {
  const { source } = JSON.parse(value.toString()) as { source: string };
  const key = keys[source.slice(1) as keyof typeof keys];
  return signRecord(key, TOPICS.control, { key: 'k', value });
}

/** Everything to one topic, large events in chunks; what belongs on the control stream signed. */
export async function write(bus: Bus, topic: string, all: readonly Buffer[], chunkMaxBytes = 2 ** 20): Promise<void> {
  if (topic === TOPICS.control) return void (await bus.produce(topic, all.map(signedAsSource)));
  const isHold = (value: Buffer): boolean => topic === TOPICS.sessions && isVouchedKind({ value }) && value.length <= chunkMaxBytes;
  if (all.some(isHold) && all.every((value) => value.length <= chunkMaxBytes))
    return void (await bus.produce(
      topic,
      all.map((value) => vouch(keys['edge/test'], { key: (JSON.parse(value.toString()) as { sessionid: string }).sessionid, value })),
    ));
  const chunks = all.flatMap((bytes, index) => split(`${topic}-${index}-${bytes.length}`, bytes, chunkMaxBytes));
  await bus.produce(
    topic,
    chunks.map(({ headers, value }) => ({ key: 'k', value, headers })),
  );
}

export async function writeSample(bus: Bus, sessions = 6): Promise<ReturnType<typeof sampleLog>> {
  const sample = sampleLog(sessions);
  await write(bus, TOPICS.sessions, sample.sessions);
  await write(bus, TOPICS.control, sample.control);
  await write(bus, TOPICS.leases, sample.leases);
  return sample;
}

export async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 5));
}

export async function caughtUp(projector: Projector): Promise<boolean> {
  const { topics, notReady } = await projector.status();
  return notReady.length === 0 && topics.length === 3 && topics.every(({ lag }) => lag === 0n);
}

export async function signed(projector: Projector, events: number): Promise<boolean> {
  const { checkpoints } = await projector.status();
  return checkpoints[0]?.signed === events;
}

/** All of one partition. */
export async function readAll(bus: Bus, topic: string): Promise<readonly BusRecord[]> {
  const [end] = await bus.ends(topic);
  const all: BusRecord[] = [];
  while (end && BigInt(all.length) < end.next) all.push(...(await bus.read(topic, 0, BigInt(all.length), 1000)));
  return all;
}

/** What anyone with the public keys says of the log. */
export async function verified(bus: Bus): Promise<VerifyReport> {
  const checkpoints = (await readAll(bus, TOPICS.checkpoints)).map(({ value, offset }) => ({ note: value.toString(), offset }));
  const items = (await readAll(bus, TOPICS.sessions)).map(({ value, offset }) => ({ kind: 'event' as const, offset, bytes: value }));
  return verifyLog({ log: LOG, items, checkpoints, keys: { trusted: [ledgerKey, edgeKey], origin: 'given' } });
}
