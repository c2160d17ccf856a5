import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MessageChannel } from 'node:worker_threads';
import { fileURLToPath } from 'node:url';
import { connectBus, openEmbeddedBus, serveBus } from '@sallyport/adapter-embedded-bus';
import { type TestPostgres, testPostgres } from '@sallyport/adapter-embedded-postgres/testing';
import { opaWasmEngine, readBundle } from '@sallyport/adapter-opa-wasm';
import { type Bus, type BusRecord, type OutgoingRecord, TOPICS } from '@sallyport/bus';
import { parseEvent, SessionStream, type SigningKey } from '@sallyport/events';
import { type LeaseGrant, type PostgresSecret, sessionKeyPair, tokenBinding, VENDOR_LIMITS } from '@sallyport/lease';
import { sealKeyOf, type Service, sealTo, serviceOf } from '@sallyport/trust';
import { enrolled } from '@sallyport/trust/testing';
import { loadGrants, type VerdictPort, verdicts } from '@sallyport/verdict';
import { Client } from 'pg';

import { createVendor, type VendorApp, type VendorAppOptions } from '../create-vendor.js';
import { DirectTransport } from './direct-transport.js';
import { startTokens, type Tokens } from './tokens.js';

export const { roster, keys } = enrolled('edge/e1', 'edge/e2', 'vendor/v1', 'vendor/v2', 'console/c1');
/** The same names, and nobody has enrolled them. */
export const { keys: strangers } = enrolled('edge/e1', 'vendor/v1', 'console/c1');

export const E1 = serviceOf('edge/e1')!;
export const E2 = serviceOf('edge/e2')!;

const GRANTS = `
grants:
  - name: agents read
    who: { groups: [agents] }
    on: { names: [shop, old], labels: { env: test } }
    allow: [ postgres.read, postgres.session ]
    credential: reader
  - name: clerks write
    who: { groups: [clerks] }
    on: { names: [shop] }
    allow: [ postgres.read, postgres.write, postgres.session ]
    credential: writer
`;

export interface Running {
  readonly app: VendorApp;
  readonly key: SigningKey;
  readonly errors: readonly string[];
  request<T>(pattern: string, data: unknown, caller?: Service): Promise<T>;
}

export interface StartOptions extends Partial<Omit<VendorAppOptions, 'key'>> {
  readonly key?: SigningKey;
}

export interface EndOptions {
  readonly how?: 'close' | 'abort';
  readonly key?: SigningKey;
  readonly source?: string;
  readonly alter?: (bytes: Buffer) => Buffer;
}

/** What an edge asks for, and how it may lie. */
export interface Asked {
  readonly token?: string;
  /** What is sealed instead of what should be. */
  readonly sealedToken?: string;
  readonly caller?: Service;
  readonly [field: string]: unknown;
}

/** Vendors with nothing replaced that can be real: PostgreSQL, an issuer, the compiled policy, the embedded bus on disk. */
export class World {
  /** Of the spec that runs: see `freshBus`. */
  bus!: Bus;
  readonly #running: { close(): Promise<void> | void }[] = [];
  #installations = 0;

  private constructor(
    readonly server: TestPostgres,
    readonly tokens: Tokens,
    readonly policy: VerdictPort,
    private readonly directory: string,
  ) {}

  static async start(): Promise<World> {
    const directory = await mkdtemp(join(tmpdir(), 'sallyport-vendor-'));
    const server = await testPostgres({ settings: { max_connections: '80' } });
    await server.query('CREATE TABLE items (x int); INSERT INTO items VALUES (1)');
    return new World(server, await startTokens(), await compiled(), directory);
  }

  /** For `beforeEach`: what one spec has put on record is nothing to the next. */
  async freshBus({ partitions = 1 } = {}): Promise<void> {
    this.bus = await openEmbeddedBus({ dir: join(this.directory, randomUUID()), preallocateBytes: 64 * 1024, partitions });
  }

  installation(): string {
    return `v${(this.#installations += 1)}`;
  }

  async vendor(options: StartOptions & { readonly installation: string }): Promise<Running> {
    const transport = new DirectTransport();
    const errors: string[] = [];
    const { key = keys['vendor/v1'], clock, limits, ...others } = options;
    const app = await createVendor({
      bus: this.bus,
      transport,
      key,
      roster,
      identity: this.tokens.identity({ skewMs: VENDOR_LIMITS.clockSkewMs, ...(clock ? { now: clock } : {}) }),
      verdicts: this.policy,
      resources: [this.shop(), OLD],
      sweepIntervalMs: 3_600_000,
      revocationSkewMs: 0,
      roleLimits: { terminateTimeoutMs: 500, lockTimeoutMs: 500 },
      limits: { dropPauseMs: 10, ...limits },
      onError: (code, message) => errors.push(`${code} ${message}`),
      ...(clock ? { clock } : {}),
      ...others,
    });
    this.#running.push(app);
    return { app, key, errors, request: (pattern, data, caller) => transport.request(pattern, data, caller) };
  }

  shop(ttlMs = 60_000): VendorAppOptions['resources'][number] {
    return {
      name: 'shop',
      kind: 'postgres',
      labels: { env: 'test' },
      database: 'test',
      tls: { mode: 'disable' },
      credential: {
        kind: 'postgres-role',
        adminUrl: this.server.url(),
        ttlMs,
        profiles: {
          reader: ['SELECT ON ALL TABLES IN SCHEMA public'],
          writer: ['SELECT, INSERT ON ALL TABLES IN SCHEMA public'],
        },
      },
    };
  }

  /** The bus by a port, as another process has it; `kill` ends it as the process's death does: nothing of it is committed or heard any more. */
  separateBus(): { readonly bus: Bus; kill(): void } {
    const { port1, port2 } = new MessageChannel();
    serveBus(this.bus, port1);
    return { bus: connectBus(port2), kill: () => port2.close() };
  }

  async obtain(
    vendor: Running,
    session: string,
    asked: Asked = {},
  ): Promise<{ readonly grant: LeaseGrant; readonly secret: PostgresSecret }> {
    const pair = await sessionKeyPair();
    const { caller, ...more } = asked;
    const grant = await vendor.request<LeaseGrant>('lease.obtain', await this.request(session, pair.publicKey, more), caller);
    return { grant, secret: await pair.open(grant.sealed, { session, lease: grant.lease.id }) };
  }

  /** The request as the bus carries it. */
  async request(
    session: string,
    publicKey: Parameters<typeof tokenBinding>[0]['publicKey'],
    {
      token = this.tokens.of('agent'),
      sealedToken,
      ...more
    }: Pick<Asked, 'token' | 'sealedToken'> & Readonly<Record<string, unknown>> = {},
  ): Promise<Record<string, unknown>> {
    const sealed = sealedToken ?? (await sealTo(this.sealKeys, token, tokenBinding({ session, publicKey })));
    return {
      session,
      resource: 'shop',
      subject: 'agent',
      profiles: ['reader'],
      notAfterMs: Date.now() + 3_600_000,
      publicKey,
      run: null,
      sealedToken: sealed,
      ...more,
    };
  }

  readonly sealKeys = [sealKeyOf(keys['vendor/v1']), sealKeyOf(keys['vendor/v2'])];

  async signIn({ user, password }: PostgresSecret): Promise<Client> {
    const client = new Client({ host: this.server.host, port: this.server.port, database: 'test', user, password });
    client.on('error', () => undefined);
    await client.connect();
    this.#running.push({ close: async () => client.end().catch(() => undefined) });
    return client;
  }

  async roles(installation: string): Promise<string[]> {
    const { rows } = await this.server.query<{ rolname: string }>('SELECT rolname FROM pg_roles WHERE starts_with(rolname, $1)', [
      `sallyport_${installation}_`,
    ]);
    return rows.map((row) => row.rolname);
  }

  /** Ends a session on record, as its edge does; or as somebody else would like to. */
  async endSession(
    session: string,
    { how = 'close', key = keys['edge/e1'], source, alter = (bytes) => bytes }: EndOptions = {},
  ): Promise<void> {
    const stream = new SessionStream({ session, source: source ?? `/${key.name}`, subject: 'agent' }, key);
    const { bytes } =
      how === 'close'
        ? stream.close({ reason: 'client', operations: 0, rows: 0, bytes: 0, denials: 0 }, Date.now())
        : stream.abort({ reason: 'killed', unfinished: [] }, Date.now());
    await this.bus.produce(TOPICS.sessions, [{ key: session, value: alter(bytes) }]);
  }

  async records(topic: string): Promise<BusRecord[]> {
    const ends = await this.bus.ends(topic);
    const found = await Promise.all(ends.map(({ partition, first }) => this.bus.read(topic, partition, first, 100_000)));
    return found.flat();
  }

  /** What is on record of these sessions' leases and of these ids, in order. */
  async leaseEvents(ids: readonly string[]): Promise<{ type: string; data: Record<string, unknown> }[]> {
    return (await this.records(TOPICS.leases)).flatMap((record) => {
      const { event } = parseEvent(record.value);
      const data = event.data as Record<string, unknown>;
      return ids.includes(String(data['id'])) ? [{ type: event.type, data }] : [];
    });
  }

  async text(): Promise<string> {
    const all = await Promise.all([TOPICS.leases, TOPICS.control, TOPICS.sessions].map((topic) => this.records(topic)));
    return all
      .flat()
      .map(({ value, headers }) => `${value.toString()}${JSON.stringify(headers)}`)
      .join('\n');
  }

  /** Everything that a spec has started, in reverse. */
  async settle(): Promise<void> {
    for (const each of this.#running.splice(0).reverse()) await each.close();
    await this.bus.close();
  }

  /** Closed by the spec itself. */
  forget(vendor: Running): void {
    this.#running.splice(this.#running.indexOf(vendor.app), 1);
  }

  async stop(): Promise<void> {
    await this.tokens.close();
    await this.server.stop();
    await rm(this.directory, { recursive: true, force: true });
  }
}

const OLD: VendorAppOptions['resources'][number] = {
  name: 'old',
  kind: 'postgres',
  labels: { env: 'test' },
  database: 'test',
  credential: { kind: 'static', user: 'legacy', password: 'static-secret' },
};

/** The bus, with something in the way of what is written. */
export function withHook(bus: Bus, before: (topic: string, records: readonly OutgoingRecord[]) => Promise<void> | void): Bus {
  return {
    produce: async (topic, records) => {
      await before(topic, records);
      return bus.produce(topic, records);
    },
    consume: (options) => bus.consume(options),
    read: (topic, partition, offset, maxRecords) => bus.read(topic, partition, offset, maxRecords),
    ends: (topic) => bus.ends(topic),
    close: () => bus.close(),
  };
}

export const newSession = (): string => randomUUID();

export async function until(condition: () => Promise<boolean> | boolean): Promise<void> {
  for (let i = 0; i < 400; i += 1) {
    if (await condition()) return;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error('it did not come about');
}

async function compiled(): Promise<VerdictPort> {
  const grants = loadGrants(GRANTS);
  if (!grants.ok) throw new Error(JSON.stringify(grants));
  const bundle = await readBundle(fileURLToPath(new URL('../../../../policies/bundle', import.meta.url)));
  const { entrypoints, inputPaths } = bundle.manifest;
  const engine = opaWasmEngine({ wasm: bundle.wasm, entrypoints, data: grants.document });
  return verdicts(engine, { revision: 'r1', inputPaths: inputPaths['sallyport/verdict'] });
}
