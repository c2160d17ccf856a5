// Longer than most: each end of a lease is shown with a bus that fails and a server that is real.
import { freePort } from '@sallyport/adapter-embedded-postgres';
import { type TestPostgres, testPostgres } from '@sallyport/adapter-embedded-postgres/testing';
import { type Bus, type BusRecord, type ConsumeOptions, TOPICS } from '@sallyport/bus';
import { generateSigningKey, leaseEvent, parseEvent, SessionStream } from '@sallyport/events';
import { type LeaseGrant, type PostgresSecret, sessionKeyPair } from '@sallyport/lease';
import { ClientTCP, ServerTCP } from '@nestjs/microservices';
import { Client } from 'pg';
import { firstValueFrom } from 'rxjs';

import { createVendor, type VendorApp, type VendorAppOptions } from './create-vendor.js';

/** A bus in memory, one partition a topic: what the vendor writes can be made to fail, or to be slow. */
class MemoryBus implements Bus {
  readonly topics = new Map<string, BusRecord[]>();
  beforeProduce: (topic: string, text: string) => Promise<void> | void = () => undefined;
  private readonly followers = new Set<() => Promise<void>>();

  private topic(name: string): BusRecord[] {
    const known = this.topics.get(name) ?? [];
    this.topics.set(name, known);
    return known;
  }

  async produce(topic: string, records: Parameters<Bus['produce']>[1]) {
    const placed = [];
    for (const record of records) {
      const value = Buffer.from(record.value);
      await this.beforeProduce(topic, value.toString());
      const offset = BigInt(this.topic(topic).length);
      this.topic(topic).push({
        topic,
        partition: 0,
        offset,
        timestampMs: record.timestampMs ?? Date.now(),
        key: record.key,
        value,
        headers: {},
      });
      placed.push({ partition: 0, offset });
    }
    for (const follower of this.followers) setImmediate(() => void follower());
    return placed;
  }

  async consume({ topic, start, onBatch, onError }: ConsumeOptions) {
    let next = start.at === 'timestamp' ? this.topic(topic).findIndex((record) => record.timestampMs >= start.timestampMs) : 0;
    if (next < 0) next = this.topic(topic).length;
    let running: Promise<void> = Promise.resolve();
    const follower = () =>
      (running = running.then(async () => {
        const batch = this.topic(topic).slice(next);
        if (batch.length === 0) return;
        try {
          await onBatch(batch, { commit: async () => undefined, commitSoon: () => undefined });
          next += batch.length;
        } catch (error) {
          onError?.(error);
        }
      }));
    this.followers.add(follower);
    setImmediate(() => void follower());
    return {
      close: async () => {
        this.followers.delete(follower);
        await running;
      },
    };
  }

  async read(topic: string, _partition: number, offset: bigint, maxRecords: number) {
    return this.topic(topic).slice(Number(offset), Number(offset) + maxRecords);
  }

  async ends(topic: string) {
    return [{ partition: 0, first: 0n, next: BigInt(this.topic(topic).length) }];
  }

  async close() {
    this.followers.clear();
  }

  /** Type and data of each event, as read from the bytes. */
  leaseEvents(): { type: string; data: Record<string, unknown> }[] {
    return this.topic(TOPICS.leases).map((record) => {
      const { stream, event } = parseEvent(record.value);
      expect(stream).toBe('leases');
      return { type: event.type, data: event.data as Record<string, unknown> };
    });
  }

  text(): string {
    return [...this.topics.values()].flatMap((records) => records.map((record) => record.value.toString())).join('\n');
  }
}

let server: TestPostgres;
const running: { close(): Promise<void> | void }[] = [];
const key = generateSigningKey('edge');
let installations = 0;

beforeAll(async () => {
  server = await testPostgres({ settings: { max_connections: '60' } });
  await server.query('CREATE TABLE items (x int); INSERT INTO items VALUES (1)');
});

afterEach(async () => {
  for (const each of running.splice(0).reverse()) await each.close();
});

afterAll(async () => server.stop());

interface Started {
  readonly bus: MemoryBus;
  readonly app: VendorApp;
  readonly installation: string;
  readonly errors: string[];
  send<T>(pattern: string, data: unknown): Promise<T>;
}

async function start(options: Partial<VendorAppOptions> & { bus?: MemoryBus; installation?: string } = {}): Promise<Started> {
  const bus = options.bus ?? new MemoryBus();
  const installation = options.installation ?? `v${(installations += 1)}`;
  const address = { host: '127.0.0.1', port: await freePort() };
  const errors: string[] = [];
  const app = await createVendor({
    transport: new ServerTCP(address),
    resources: [
      {
        name: 'shop',
        kind: 'postgres',
        database: 'test',
        tls: { mode: 'disable' },
        credential: {
          kind: 'postgres-role',
          adminUrl: server.url(),
          ttlMs: 60_000,
          profiles: { reader: ['SELECT ON ALL TABLES IN SCHEMA public'] },
        },
      },
      { name: 'old', kind: 'postgres', database: 'test', credential: { kind: 'static', user: 'legacy', password: 'static-secret' } },
    ],
    sweepIntervalMs: 3_600_000,
    roleLimits: { terminateTimeoutMs: 500, lockTimeoutMs: 500 },
    limits: { dropPauseMs: 10 },
    onError: (code, message) => errors.push(`${code} ${message}`),
    ...options,
    bus,
    installation,
  });
  const client = new ClientTCP(address);
  running.push(app, client);
  return {
    bus,
    app,
    installation,
    errors,
    send: async <T>(pattern: string, data: unknown) => firstValueFrom(client.send<T>(pattern, data)),
  };
}

async function obtain(vendor: Started, session: string, more: Record<string, unknown> = {}) {
  const pair = await sessionKeyPair();
  const grant = await vendor.send<LeaseGrant>('lease.obtain', {
    session,
    resource: 'shop',
    subject: 'agent',
    profiles: ['reader'],
    notAfterMs: Date.now() + 3_600_000,
    publicKey: pair.publicKey,
    ...more,
  });
  return { grant, secret: await pair.open(grant.sealed, { session, lease: grant.lease.id }) };
}

async function signIn(secret: PostgresSecret): Promise<Client> {
  const client = new Client({ host: server.host, port: server.port, database: 'test', ...secret });
  client.on('error', () => undefined);
  await client.connect();
  running.push({ close: async () => client.end().catch(() => undefined) });
  return client;
}

async function roles(installation: string): Promise<string[]> {
  const { rows } = await server.query<{ rolname: string }>('SELECT rolname FROM pg_roles WHERE starts_with(rolname, $1)', [
    `sallyport_${installation}_`,
  ]);
  return rows.map((row) => row.rolname);
}

async function until(condition: () => Promise<boolean> | boolean): Promise<void> {
  for (let i = 0; i < 400; i += 1) {
    if (await condition()) return;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error('it did not come about');
}

async function endSession(bus: MemoryBus, session: string, how: 'close' | 'abort'): Promise<void> {
  const stream = new SessionStream({ session, source: '/edge/main', subject: 'agent' }, key);
  const { bytes } =
    how === 'close'
      ? stream.close({ reason: 'client', operations: 0, rows: 0, bytes: 0, denials: 0 }, Date.now())
      : stream.abort({ reason: 'killed', unfinished: [] }, Date.now());
  await bus.produce(TOPICS.sessions, [{ key: session, value: bytes }]);
}

describe('the vendor', () => {
  it('P3 P4: issues over the transport, sealed to the session, and drops; the record has each step and no secret', async () => {
    const vendor = await start();
    const { grant, secret } = await obtain(vendor, 's1');
    const client = await signIn(secret);
    expect((await client.query('SELECT x FROM items')).rows).toEqual([{ x: 1 }]);
    expect(JSON.stringify(grant)).not.toContain(secret.password);
    await vendor.send('lease.drop', { id: grant.lease.id, resource: 'shop' });
    await vendor.send('lease.drop', { id: grant.lease.id, resource: 'shop' });
    await expect(client.query('SELECT 1')).rejects.toBeDefined();
    expect(await roles(vendor.installation)).toEqual([]);
    expect(vendor.bus.leaseEvents()).toEqual([
      { type: 'lease.issued', data: grant.lease },
      { type: 'lease.dropped', data: { id: grant.lease.id, resource: 'shop', login: grant.lease.login } },
    ]);
    expect(vendor.bus.text()).not.toContain(secret.password);
    expect(vendor.bus.text()).not.toContain(server.password);
  });

  it('P3: seals a static credential as well, and writes it nowhere', async () => {
    const vendor = await start();
    const { grant, secret } = await obtain(vendor, 's1', { resource: 'old', profiles: [] });
    expect(secret).toEqual({ user: 'legacy', password: 'static-secret' });
    await vendor.send('lease.drop', { id: grant.lease.id, resource: 'old' });
    expect(vendor.bus.leaseEvents().map((event) => event.type)).toEqual(['lease.issued', 'lease.dropped']);
    expect(vendor.bus.text()).not.toContain('static-secret');
  });

  it('P1: makes no role before its record is durable, and none when it can not be', async () => {
    const vendor = await start();
    const seen: number[] = [];
    vendor.bus.beforeProduce = async () => void seen.push((await roles(vendor.installation)).length);
    const { grant } = await obtain(vendor, 's1');
    expect(seen).toEqual([0]);
    await vendor.send('lease.drop', { id: grant.lease.id, resource: 'shop' });
    vendor.bus.beforeProduce = () => {
      throw new Error('no room');
    };
    await expect(obtain(vendor, 's2')).rejects.toMatchObject({ code: 'LEASE_RECORD' });
    expect(await roles(vendor.installation)).toEqual([]);
  });

  it('refuses what it can not serve with a code, and makes nothing', async () => {
    const vendor = await start({ limits: { maxLeases: 1 } });
    const { publicKey } = await sessionKeyPair();
    for (const [more, code] of [
      [{ resource: 'none' }, 'LEASE_RESOURCE_UNKNOWN'],
      [{ profiles: ['root'] }, 'LEASE_PROFILE_UNKNOWN'],
      [{ notAfterMs: 5 }, 'LEASE_REQUEST_INVALID'],
      [{ subject: 7 }, 'LEASE_REQUEST_INVALID'],
      [{ publicKey: { ...publicKey, d: 'AAAA' } }, 'LEASE_KEY_INVALID'],
    ] as const) {
      await expect(obtain(vendor, 's', more)).rejects.toMatchObject({ code });
    }
    await expect(vendor.send('lease.drop', { id: 'x', resource: 'shop' })).rejects.toMatchObject({ code: 'LEASE_REQUEST_INVALID' });
    expect(await roles(vendor.installation)).toEqual([]);
    expect(vendor.bus.leaseEvents()).toEqual([]);
    await obtain(vendor, 's1');
    await expect(obtain(vendor, 's2')).rejects.toMatchObject({ code: 'LEASE_LIMIT' });
  });

  it.each(['close', 'abort'] as const)('P4: drops what a session held when the record says %s, though nobody asked', async (how) => {
    const vendor = await start();
    const { secret } = await obtain(vendor, 's1');
    const other = await obtain(vendor, 's2');
    const client = await signIn(secret);
    await endSession(vendor.bus, 's1', how);
    await until(async () => (await roles(vendor.installation)).length === 1);
    await until(() => vendor.bus.leaseEvents().some((event) => event.type === 'lease.dropped'));
    await expect(client.query('SELECT 1')).rejects.toBeDefined();
    expect(await roles(vendor.installation)).toEqual([other.grant.lease.login]);
    await expect(obtain(vendor, 's1')).rejects.toMatchObject({ code: 'LEASE_SESSION_OVER' });
  });

  it('P4: hands out nothing when the session ended while its role was made', async () => {
    const vendor = await start();
    vendor.bus.beforeProduce = async (topic, text) => {
      if (topic !== TOPICS.leases || !text.includes('lease.issued')) return;
      vendor.bus.beforeProduce = () => undefined;
      await endSession(vendor.bus, 's1', 'close');
      await new Promise((resolve) => setTimeout(resolve, 50));
    };
    await expect(obtain(vendor, 's1')).rejects.toMatchObject({ code: 'LEASE_SESSION_OVER' });
    await until(async () => (await roles(vendor.installation)).length === 0);
  });
});

describe('after a kill', () => {
  it('P4: killed after the record, before the role: the next one finds nothing to do', async () => {
    const bus = new MemoryBus();
    const id = 'a'.repeat(32);
    const lease = {
      id,
      session: 's1',
      resource: 'shop',
      source: 'postgres-role' as const,
      profiles: [],
      login: `sallyport_kill_${id}`,
      expiresAtMs: Date.now() + 60_000,
    };
    const { bytes } = leaseEvent({ id: `${id}:x`, source: '/vendor/main', subject: id }, 'lease.issued', lease, Date.now());
    await bus.produce(TOPICS.leases, [{ key: id, value: bytes }]);
    const vendor = await start({ bus, installation: 'kill' });
    await endSession(bus, 's1', 'abort');
    await until(() => bus.leaseEvents().some((event) => event.type === 'lease.dropped'));
    expect(await roles('kill')).toEqual([]);
    expect(vendor.errors).toEqual([]);
  });

  it('P4: killed after the role: the next one keeps what is live, drops what has ended, and sweeps what is on no record', async () => {
    const first = await start();
    const [live, over] = [await obtain(first, 's-live'), await obtain(first, 's-over')];
    const client = await signIn(live.secret);
    // The process is gone: nothing of it hears of the session's end. (Closing keeps roles of live leases, as a kill does.)
    for (const each of running.splice(running.length - 3, 2).reverse()) await each.close();
    await endSession(first.bus, 's-over', 'abort');
    const orphan = `sallyport_${first.installation}_${'b'.repeat(32)}`;
    await server.query(`CREATE ROLE "${orphan}" LOGIN`);
    const second = await start({ bus: first.bus, installation: first.installation });
    await until(async () => (await roles(first.installation)).length === 1);
    await second.app.sweep();
    expect(await roles(first.installation)).toEqual([live.grant.lease.login]);
    expect((await client.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
    const ends = first.bus.leaseEvents().filter((event) => event.type !== 'lease.issued');
    expect(ends.map((event) => String(event.data['id'])).sort()).toEqual([over.grant.lease.id, 'b'.repeat(32)].sort());
    expect(ends.find((event) => event.data['id'] === 'b'.repeat(32))).toEqual({
      type: 'lease.swept',
      data: { id: 'b'.repeat(32), resource: 'shop', login: orphan },
    });
  });

  it('P4: never takes a live role for an orphan because the record is slow to read', async () => {
    const first = await start();
    const { grant } = await obtain(first, 's1');
    class Slow extends MemoryBus {
      override readonly topics = first.bus.topics;
      override async consume(): Promise<{ close(): Promise<void> }> {
        return { close: async () => undefined };
      }
    }
    const second = await start({ bus: new Slow(), installation: first.installation, settleTimeoutMs: 100 });
    expect(await second.app.sweep()).toEqual({ swept: 0, failed: 1 });
    expect(await roles(first.installation)).toEqual([grant.lease.login]);
    expect(second.errors.join()).toContain('LEASE_RECORD');
  });

  it('P4: sweeps a lease that has expired, its connections with it', async () => {
    let skewMs = 0;
    const vendor = await start({ clock: () => Date.now() + skewMs });
    const { grant, secret } = await obtain(vendor, 's1');
    const client = await signIn(secret);
    expect(await vendor.app.sweep()).toEqual({ swept: 0, failed: 0 });
    skewMs = 120_000;
    expect(await vendor.app.sweep()).toEqual({ swept: 1, failed: 0 });
    await expect(client.query('SELECT 1')).rejects.toBeDefined();
    expect(await roles(vendor.installation)).toEqual([]);
    expect(vendor.bus.leaseEvents().at(-1)).toMatchObject({ type: 'lease.swept', data: { id: grant.lease.id } });
  });

  it('P4: a drop that fails is on record once, and the sweep makes up for it', async () => {
    const vendor = await start({ limits: { dropTries: 1 } });
    const { grant, secret } = await obtain(vendor, 's1');
    await server.query(`GRANT CREATE ON SCHEMA public TO "${secret.user}"`);
    await (await signIn(secret)).query('CREATE TABLE contended (x int)');
    const holder = new Client({ connectionString: server.url() });
    await holder.connect();
    await holder.query('BEGIN; SELECT * FROM contended');
    await expect(vendor.send('lease.drop', { id: grant.lease.id, resource: 'shop' })).rejects.toMatchObject({ code: 'LEASE_TARGET' });
    expect(await vendor.app.sweep()).toEqual({ swept: 0, failed: 1 });
    await holder.end();
    expect(await vendor.app.sweep()).toEqual({ swept: 1, failed: 0 });
    expect(await roles(vendor.installation)).toEqual([]);
    expect(vendor.bus.leaseEvents().map((event) => event.type)).toEqual(['lease.issued', 'lease.failed', 'lease.swept']);
  });

  it('P4: a drop and a sweep at the same time record one end', async () => {
    const vendor = await start();
    const issued = await Promise.all(Array.from({ length: 8 }, (_, i) => obtain(vendor, `s${i}`)));
    await Promise.all([
      ...issued.map(({ grant }) => vendor.send('lease.drop', { id: grant.lease.id, resource: 'shop' })),
      ...issued.map((_, i) => endSession(vendor.bus, `s${i}`, 'close')),
      vendor.app.sweep(),
    ]);
    await vendor.app.sweep();
    expect(await roles(vendor.installation)).toEqual([]);
    const ends = vendor.bus.leaseEvents().filter((event) => event.type !== 'lease.issued');
    expect(ends.map((event) => String(event.data['id'])).sort()).toEqual(issued.map(({ grant }) => grant.lease.id).sort());
  });

  it('sweeps by itself, at the start and then again', async () => {
    const vendor = await start({ sweepIntervalMs: 50 });
    for (const letter of ['c', 'd']) {
      await server.query(`CREATE ROLE "sallyport_${vendor.installation}_${letter.repeat(32)}"`);
      await until(async () => (await roles(vendor.installation)).length === 0);
    }
  });
});
