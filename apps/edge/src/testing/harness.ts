import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SecureContext } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { openEmbeddedBus } from '@sallyport/adapter-embedded-bus';
import { testPostgres, type TestPostgres } from '@sallyport/adapter-embedded-postgres/testing';
import { opaWasmEngine, readBundle } from '@sallyport/adapter-opa-wasm';
import { connectUpstream } from '@sallyport/adapter-postgres-upstream';
import { postgresRoles } from '@sallyport/adapter-postgres-role';
import { type Bus, type BusRecord, TOPICS } from '@sallyport/bus';
import { DEFAULT_LIMITS } from '@sallyport/config';
import { type ControlEvents, type SigningKey } from '@sallyport/events';
import type { Principal } from '@sallyport/identity';
import { type LeasePort, type LeaseRequest, seal } from '@sallyport/lease';
import { AnnouncedServices, type Roster, WRITERS, writeControl } from '@sallyport/trust';
import { enrolled } from '@sallyport/trust/testing';
import { loadGrants, verdicts, type VerdictPort } from '@sallyport/verdict';
import { Client, type ClientConfig } from 'pg';
import { createEdge, type Edge, type EdgeLimits, type EdgeOptions } from '../index.js';
import { WireClient, type WireOptions } from './wire-client.js';

export interface HarnessOptions {
  /** grants.yaml. */
  readonly grants: string;
  /** What is in the database `shop`. */
  readonly tables: string;
  readonly profiles?: Readonly<Record<string, readonly string[]>>;
  readonly limits?: Partial<EdgeLimits>;
  readonly record?: 'metadata' | 'full';
  readonly tls?: SecureContext;
  readonly serverSettings?: Readonly<Record<string, string>>;
  /** Principals by their token. */
  readonly principals?: Readonly<Record<string, Partial<Principal>>>;
}

/** The vendor's side of a lease. */
interface VendorSwitches {
  /** What it does before it answers. */
  before: () => Promise<void>;
  /** How far its clock is off. */
  clockOffMs: number;
  /** What it was asked. */
  readonly asked: LeaseRequest[];
}

/** One event of the session stream, as written. */
export interface SessionRecord {
  readonly type: string;
  readonly sessionid: string;
  readonly sequence: number;
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  readonly data: any;
}

interface Parts {
  readonly edgeNamed: (name: 'test' | 'other') => EdgeOptions;
  readonly outage: Outage;
  readonly edge: Edge;
  readonly server: TestPostgres;
  readonly bus: Bus;
  readonly policy: SwitchablePolicy;
  readonly directory: string;
  readonly troubles: readonly string[];
  readonly vendor: VendorSwitches;
  readonly closeLeases: () => Promise<void>;
  readonly roster: Roster;
  readonly keys: Readonly<Record<'edge/test' | 'edge/other' | 'decision/test' | 'console/test', SigningKey>>;
}

/**
 * The edge in this process, with nothing replaced that can be real: PostgreSQL, the compiled policy, roles made for each session,
 * the embedded bus on disk. Only identity is short: a token is a name.
 */
export class EdgeHarness {
  readonly edge: Edge;
  /** The target, asked directly. */
  readonly server: TestPostgres;
  readonly bus: Bus;
  /** What the edge has logged at warn and above. */
  readonly troubles: readonly string[];
  /** While `bus` is true, the edge's records stay in its spool. */
  readonly outage: Outage;
  readonly vendor: VendorSwitches;

  /** Of the services that the roster has. */
  readonly keys: Parts['keys'];

  private constructor(private readonly parts: Parts) {
    ({
      keys: this.keys,
      outage: this.outage,
      edge: this.edge,
      server: this.server,
      bus: this.bus,
      troubles: this.troubles,
      vendor: this.vendor,
    } = parts);
  }

  static async start(options: HarnessOptions): Promise<EdgeHarness> {
    const directory = await mkdtemp(join(tmpdir(), 'sallyport-edge-'));
    const server = await testPostgres({ database: 'shop', ...(options.serverSettings ? { settings: options.serverSettings } : {}) });
    await server.query(options.tables);
    const bus = await openEmbeddedBus({ dir: join(directory, 'bus'), preallocateBytes: 64 * 1024 });
    const outage: Outage = { bus: false, decisionsUntil: 0 };
    const policy = await SwitchablePolicy.load(options.grants, outage);
    const { roster, keys } = enrolled('edge/test', 'edge/other', 'decision/test', 'console/test');
    const troubles: string[] = [];
    const trouble = (what: unknown, text?: string): void =>
      void troubles.push(`${text ?? ''} ${String((what as { err?: Error }).err?.stack ?? what)}`);
    const vendor: VendorSwitches = { before: async () => {}, clockOffMs: 0, asked: [] };
    const { leases, close: closeLeases } = await roleLeases(server, options.profiles ?? PROFILES, vendor);
    const edgeNamed = (name: 'test' | 'other'): EdgeOptions => ({
      name,
      dataDir: directory,
      key: keys[`edge/${name}`],
      roster,
      announced: new AnnouncedServices(roster),
      installation: 'test',
      version: '0.0.0',
      bus: withOutage(bus, outage),
      identity: {
        identify: async (token) => {
          const known = options.principals?.[token] ?? (token === 'agent' ? {} : undefined);
          return known ? { ok: true, principal: principal(token, known) } : { ok: false, code: 'TOKEN_MALFORMED', detail: '' };
        },
      },
      leases,
      verdicts: policy,
      resources: [
        {
          name: 'shop',
          labels: {},
          target: { host: server.host, port: server.port, tls: 'disable' },
          database: 'shop',
          databases: [],
          audit: { mode: 'strict', durability: 'disk', record: options.record ?? 'full' },
        },
      ],
      postgres: { host: '127.0.0.1', port: 0, auth: 'password', ...(options.tls ? { tls: options.tls } : {}) },
      maskKey: Buffer.alloc(32, 7),
      limits: { ...DEFAULT_LIMITS, shutdownTimeoutMs: 5000, ...options.limits },
      log: { debug: () => {}, info: () => {}, warn: trouble, error: trouble },
      lost: (error) => trouble(error),
    });
    const edge = await createEdge(edgeNamed('test'));
    return new EdgeHarness({ edgeNamed, outage, edge, server, bus, policy, directory, troubles, vendor, closeLeases, roster, keys });
  }

  /** A second edge on the same bus, target and policy; the caller closes it. */
  other(): Promise<Edge> {
    return createEdge(this.parts.edgeNamed('other'));
  }

  get port(): number {
    return Number(this.edge.listeners['postgres']!.split(':')[1]);
  }

  /** An agent with node-postgres. */
  async agent(config: ClientConfig = {}): Promise<Client> {
    const client = new Client({ host: '127.0.0.1', port: this.port, user: 'me', password: 'agent', database: 'shop', ...config });
    client.on('error', () => {});
    await client.connect();
    return client;
  }

  /** An agent that says just what it is told to. */
  wire(options: Partial<WireOptions> = {}): Promise<WireClient> {
    return WireClient.connect({ port: this.port, parameters: { user: 'me', database: 'shop' }, password: 'agent', ...options });
  }

  /** The same agent without an edge, as a superuser: how the server itself behaves. */
  async native(): Promise<WireClient> {
    const url = new URL(this.server.url('shop'));
    const password = decodeURIComponent(url.password);
    const { socket, leftover } = await connectUpstream(
      { host: this.server.host, port: this.server.port, tls: 'disable' },
      {
        protocol: '3.0',
        parameters: { user: url.username, database: 'shop' },
        password,
        limits: { connectTimeoutMs: 5000, maxFrameBytes: 1 << 20 },
      },
    );
    if (leftover.length > 0) throw new Error('the server spoke first');
    const client = new WireClient(socket);
    socket.resume();
    return client;
  }

  /** Every event on the bus, in order. */
  async records(): Promise<SessionRecord[]> {
    const all: SessionRecord[] = [];
    for (const { partition, first, next } of await this.bus.ends(TOPICS.sessions)) {
      for (let at = first; at < next;) {
        const batch = await this.bus.read(TOPICS.sessions, partition, at, 1000);
        if (batch.length === 0) break;
        for (const { value } of batch) all.push(JSON.parse(value.toString()) as SessionRecord);
        at = batch.at(-1)!.offset + 1n;
      }
    }
    return all;
  }

  /** The first event that fits, waited for. */
  async record(fits: (record: SessionRecord) => boolean): Promise<SessionRecord> {
    return eventually(async () => (await this.records()).find(fits));
  }

  /** Every event of the session that has written the last one like this, once it is closed. */
  async closedSession(session: string): Promise<SessionRecord[]> {
    await this.record(({ type, sessionid }) => sessionid === session && type === 'session.closed');
    return (await this.records()).filter(({ sessionid }) => sessionid === session);
  }

  /** The session that was opened last. */
  async newestSession(): Promise<string> {
    return (await this.records()).findLast(({ type }) => type === 'session.opened')!.sessionid;
  }

  /** Every record of the control topic. */
  async controlRecords(): Promise<readonly BusRecord[]> {
    return this.bus.read(TOPICS.control, 0, 0n, 10_000);
  }

  /** As the service whose business it is. */
  async control<Type extends keyof ControlEvents>(type: Type, data: ControlEvents[Type]): Promise<void> {
    const [role] = WRITERS[type];
    const identity = { id: randomUUID(), subject: 'test', key: 'test', timeMs: Date.now() };
    await writeControl(this.bus, this.keys[`${role as 'console'}/test`], identity, type, data);
  }

  /** Answers the newest hold, as one person. */
  async answer(how: 'given' | 'refused', subject = 'dana'): Promise<void> {
    const asked = await eventually(async () => (await this.records()).findLast(({ type }) => type === 'approval.requested'));
    await this.control(`approval.${how}`, {
      hold: asked.data.hold,
      hash: asked.data.hash,
      session: asked.sessionid,
      by: { subject, issuer: 'test', groups: ['dba'] },
      rules: [],
      revision: asked.data.revision,
    });
  }

  publish(grants: string): Promise<void> {
    return this.parts.policy.publish(grants);
  }

  async count(table: string): Promise<number> {
    const { rows } = await this.server.query<{ count: string }>(`SELECT count(*) FROM ${table}`);
    return Number(rows[0]!.count);
  }

  async stop(): Promise<void> {
    await this.edge.close();
    await this.parts.closeLeases();
    await this.bus.close();
    await this.server.stop();
    await rm(this.parts.directory, { recursive: true, force: true });
  }
}

/** What is away. */
interface Outage {
  bus: boolean;
  /** Policy has no answer to the so-maniest question from now on; 0: to none. */
  decisionsUntil: number;
}

function withOutage(bus: Bus, outage: { readonly bus: boolean }): Bus {
  return {
    produce: (topic, records) => (outage.bus ? Promise.reject(new Error('the bus is away')) : bus.produce(topic, records)),
    consume: (consumer) => bus.consume(consumer),
    read: (topic, partition, offset, maxRecords) => bus.read(topic, partition, offset, maxRecords),
    ends: (topic) => bus.ends(topic),
    close: () => bus.close(),
  };
}

export const PROFILES = { writer: ['SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public', 'CREATE, USAGE ON SCHEMA public'] };

/** The answer as soon as there is one; fails after ten seconds. */
export async function eventually<T>(ask: () => Promise<T | undefined | false>): Promise<T> {
  for (const deadline = Date.now() + 10_000; Date.now() < deadline; await new Promise((resolve) => setTimeout(resolve, 10))) {
    const answer = await ask();
    if (answer !== undefined && answer !== false) return answer;
  }
  throw new Error('it did not come about within 10 s');
}

function principal(subject: string, known: Partial<Principal>): Principal {
  return {
    subject,
    issuer: 'test',
    provider: 'test',
    kind: 'workload',
    groups: ['agents'],
    actors: [],
    expiresAtMs: Date.now() + 3_600_000,
    ...known,
  };
}

/** A policy that can be published anew: the compiled default bundle with other grants. */
class SwitchablePolicy implements VerdictPort {
  private constructor(
    private live: VerdictPort,
    private readonly outage: Outage,
  ) {}

  static async load(grants: string, outage: Outage): Promise<SwitchablePolicy> {
    return new SwitchablePolicy(await compile(grants, 'r1'), outage);
  }

  get revision(): string {
    return this.live.revision;
  }

  decide(input: Parameters<VerdictPort['decide']>[0]): ReturnType<VerdictPort['decide']> {
    if (this.outage.decisionsUntil > 0 && --this.outage.decisionsUntil === 0) return Promise.reject(new Error('policy is away'));
    return this.live.decide(input);
  }

  async publish(grants: string): Promise<void> {
    this.live = await compile(grants, `r${Number(this.revision.slice(1)) + 1}`);
  }
}

async function compile(yaml: string, revision: string): Promise<VerdictPort> {
  const grants = loadGrants(yaml);
  if (!grants.ok) throw new Error(JSON.stringify(grants));
  const bundle = await readBundle(fileURLToPath(new URL('../../../../policies/bundle', import.meta.url)));
  const { entrypoints, inputPaths } = bundle.manifest;
  const engine = opaWasmEngine({ wasm: bundle.wasm, entrypoints, data: grants.document });
  return verdicts(engine, { revision, inputPaths: inputPaths['sallyport/verdict'] });
}

/** What the vendor does, without the bus between. */
async function roleLeases(
  server: TestPostgres,
  profiles: Readonly<Record<string, readonly string[]>>,
  vendor: VendorSwitches,
): Promise<{ readonly leases: LeasePort; readonly close: () => Promise<void> }> {
  const roles = await postgresRoles({
    resource: 'shop',
    adminUrl: server.url('shop'),
    database: 'shop',
    profiles,
    ttlMs: 600_000,
    installation: 'test',
    clock: () => Date.now() + vendor.clockOffMs,
  });
  let leased = 0;
  const leases: LeasePort = {
    async obtain({ token, run, ...order }) {
      vendor.asked.push({ token, run, ...order });
      await vendor.before();
      const lease = roles.plan((leased++).toString(16).padStart(32, '0'), order);
      const secret = await roles.create(lease, order);
      const sealed = await seal(secret, order.publicKey, { session: order.session, lease: lease.id });
      return { lease, sealed, expiresInMs: lease.expiresAtMs - Date.now() - vendor.clockOffMs };
    },
    drop: async (id) => void (await roles.drop(id)),
  };
  return { leases, close: () => roles.close() };
}
