import { TOPICS } from '@sallyport/bus';
import { sessionKeyPair } from '@sallyport/lease';
import { writeLease } from '@sallyport/trust';
import { Client } from 'pg';

import { E1, E2, keys, newSession, until, withHook, World } from './testing/world.js';

let world: World;
let installation: string;

beforeAll(async () => {
  world = await World.start();
});

beforeEach(async () => {
  await world.freshBus();
  installation = world.installation();
});

afterEach(async () => world.settle());
afterAll(async () => world.stop());

const drop = (id: string, resource = 'shop') => ({ id, resource });

describe('the vendor', () => {
  it('P3 P4: issues over the transport, sealed to the session, and drops; the record has each step and no secret', async () => {
    const vendor = await world.vendor({ installation });
    const { grant, secret } = await world.obtain(vendor, newSession());
    const client = await world.signIn(secret);
    expect((await client.query('SELECT x FROM items')).rows).toEqual([{ x: 1 }]);
    expect(JSON.stringify(grant)).not.toContain(secret.password);
    await vendor.request('lease.drop', drop(grant.lease.id));
    await vendor.request('lease.drop', drop(grant.lease.id));
    await expect(client.query('SELECT 1')).rejects.toBeDefined();
    expect(await world.roles(installation)).toEqual([]);
    expect(await world.leaseEvents([grant.lease.id])).toEqual([
      { type: 'lease.issued', data: grant.lease },
      { type: 'lease.dropped', data: { id: grant.lease.id, resource: 'shop', login: grant.lease.login } },
    ]);
    expect(await world.text()).not.toContain(secret.password);
    expect(await world.text()).not.toContain(world.server.password);
  });

  it('P3: seals a static credential as well, and writes it nowhere', async () => {
    const vendor = await world.vendor({ installation });
    const { grant, secret } = await world.obtain(vendor, newSession(), { resource: 'old' });
    expect(secret).toEqual({ user: 'legacy', password: 'static-secret' });
    await vendor.request('lease.drop', drop(grant.lease.id, 'old'));
    expect((await world.leaseEvents([grant.lease.id])).map((event) => event.type)).toEqual(['lease.issued', 'lease.dropped']);
    expect(await world.text()).not.toContain('static-secret');
  });

  it('P1: makes no role before its record is durable, and none when it can not be', async () => {
    const seen: number[] = [];
    let full = false;
    const bus = withHook(world.bus, async () => {
      if (full) throw new Error('no room');
      seen.push((await world.roles(installation)).length);
    });
    const vendor = await world.vendor({ installation, bus });
    const { grant } = await world.obtain(vendor, newSession());
    expect(seen).toEqual([0]);
    await vendor.request('lease.drop', drop(grant.lease.id));
    full = true;
    await expect(world.obtain(vendor, newSession())).rejects.toMatchObject({ code: 'LEASE_RECORD' });
    expect(await world.roles(installation)).toEqual([]);
  });

  it('refuses what it can not serve with a code, and makes nothing', async () => {
    const vendor = await world.vendor({ installation, limits: { maxLeases: 1 } });
    const { publicKey } = await sessionKeyPair();
    for (const [more, code] of [
      [{ resource: 'none' }, 'LEASE_RESOURCE_UNKNOWN'],
      [{ notAfterMs: 5 }, 'LEASE_REQUEST_INVALID'],
      [{ subject: 7 }, 'LEASE_REQUEST_INVALID'],
      [{ database: 'nowhere' }, 'LEASE_REQUEST_INVALID'],
      [{ publicKey: { ...publicKey, d: 'AAAA' } }, 'LEASE_KEY_INVALID'],
    ] as const) {
      await expect(world.obtain(vendor, newSession(), more)).rejects.toMatchObject({ code });
    }
    await expect(vendor.request('lease.drop', drop('x'))).rejects.toMatchObject({ code: 'LEASE_REQUEST_INVALID' });
    expect(await world.roles(installation)).toEqual([]);
    expect(await world.records(TOPICS.leases)).toEqual([]);
    await world.obtain(vendor, newSession());
    await expect(world.obtain(vendor, newSession())).rejects.toMatchObject({ code: 'LEASE_LIMIT' });
  });

  it('P3: a session gets one lease: a replay is refused, at once, later, and after a restart', async () => {
    const vendor = await world.vendor({ installation });
    const session = newSession();
    const pair = await sessionKeyPair();
    const request = await world.request(session, pair.publicKey);
    const answers = await Promise.allSettled([vendor.request('lease.obtain', request), vendor.request('lease.obtain', request)]);
    expect(answers.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    const refused = { code: 'LEASE_SESSION_LEASED' };
    await expect(vendor.request('lease.obtain', request)).rejects.toMatchObject(refused);
    const [login] = await world.roles(installation);
    await vendor.request('lease.drop', drop(login!.split('_')[2]!));
    await expect(world.obtain(vendor, session)).rejects.toMatchObject(refused);
    const restarted = await world.vendor({ installation });
    await restarted.app.sweep();
    await expect(world.obtain(restarted, session)).rejects.toMatchObject(refused);
    expect(await world.roles(installation)).toEqual([]);
  });

  it('P4: drops for the edge that holds the lease, and for nobody else', async () => {
    const vendor = await world.vendor({ installation });
    const { grant } = await world.obtain(vendor, newSession(), { caller: E1 });
    const refused = { code: 'LEASE_NOT_HOLDER' };
    await expect(vendor.request('lease.drop', drop(grant.lease.id), E2)).rejects.toMatchObject(refused);
    await expect(vendor.request('lease.drop', drop(grant.lease.id), { name: 'console/c1', role: 'console' })).rejects.toMatchObject(
      refused,
    );
    await expect(vendor.request('lease.drop', drop(grant.lease.id, 'old'), E1)).rejects.toMatchObject({ code: 'LEASE_REQUEST_INVALID' });
    await expect(world.obtain(vendor, newSession(), { caller: { name: 'console/c1', role: 'console' } })).rejects.toMatchObject(refused);
    expect(await world.roles(installation)).toEqual([grant.lease.login]);
    await vendor.request('lease.drop', drop(grant.lease.id), E1);
    expect(await world.roles(installation)).toEqual([]);
  });

  it.each(['close', 'abort'] as const)('P4: drops what a session held when the record says %s, though nobody asked', async (how) => {
    const vendor = await world.vendor({ installation });
    const session = newSession();
    const { grant, secret } = await world.obtain(vendor, session);
    const other = await world.obtain(vendor, newSession());
    const client = await world.signIn(secret);
    await world.endSession(session, { how });
    await until(async () => (await world.leaseEvents([grant.lease.id])).some((event) => event.type === 'lease.dropped'));
    await expect(client.query('SELECT 1')).rejects.toBeDefined();
    expect(await world.roles(installation)).toEqual([other.grant.lease.login]);
    await expect(world.obtain(vendor, session)).rejects.toMatchObject({ code: 'LEASE_SESSION_OVER' });
  });

  it('P4: hands out nothing when the session ended while its role was made', async () => {
    const session = newSession();
    const bus = withHook(world.bus, async (topic, [record]) => {
      if (topic !== TOPICS.leases || !Buffer.from(record!.value).includes('lease.issued')) return;
      await world.endSession(session);
      await new Promise((resolve) => setTimeout(resolve, 50));
    });
    const vendor = await world.vendor({ installation, bus });
    await expect(world.obtain(vendor, session)).rejects.toMatchObject({ code: 'LEASE_SESSION_OVER' });
    await until(async () => (await world.roles(installation)).length === 0);
  });
});

describe('after a kill', () => {
  it('P4: killed after the record, before the role: the next one finds nothing to do, and says so', async () => {
    const id = 'a'.repeat(32);
    const session = newSession();
    const login = `sallyport_${installation}_${id}`;
    const lease = {
      id,
      session,
      resource: 'shop',
      source: 'postgres-role' as const,
      profiles: [],
      login,
      expiresAtMs: Date.now() + 60_000,
    };
    await writeLease(world.bus, keys['vendor/v1'], { id: `${id}:x`, subject: id, key: id, timeMs: Date.now() }, 'lease.issued', lease);
    const vendor = await world.vendor({ installation });
    await world.endSession(session, { how: 'abort' });
    await until(async () => (await world.leaseEvents([id])).some((event) => event.type === 'lease.dropped'));
    expect(await world.roles(installation)).toEqual([]);
    expect(vendor.errors).toEqual([]);
  });

  it('P4: killed after the role: the next one keeps what is live, drops what has ended, and sweeps what is on no record', async () => {
    const first = await world.vendor({ installation });
    const ended = newSession();
    const [live, over] = [await world.obtain(first, newSession()), await world.obtain(first, ended)];
    const client = await world.signIn(live.secret);
    // The process is gone: nothing of it hears of the session's end. (Closing keeps roles of live leases, as a kill does.)
    world.forget(first);
    await first.app.close();
    await world.endSession(ended, { how: 'abort' });
    const orphan = `sallyport_${installation}_${'b'.repeat(32)}`;
    await world.server.query(`CREATE ROLE "${orphan}" LOGIN`);
    const second = await world.vendor({ installation });
    await until(async () => (await world.roles(installation)).length === 1);
    await second.app.sweep();
    expect(await world.roles(installation)).toEqual([live.grant.lease.login]);
    expect((await client.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
    const ids = [live.grant.lease.id, over.grant.lease.id, 'b'.repeat(32)];
    const ends = (await world.leaseEvents(ids)).filter((event) => event.type !== 'lease.issued');
    expect(ends.map((event) => String(event.data['id'])).sort()).toEqual([over.grant.lease.id, 'b'.repeat(32)].sort());
    expect(ends.find((event) => event.data['id'] === 'b'.repeat(32))).toEqual({
      type: 'lease.swept',
      data: { id: 'b'.repeat(32), resource: 'shop', login: orphan },
    });
  });

  it('P4: a lease that was never made, and is on record behind the end of its session, has its end on record after a sweep', async () => {
    const vendor = await world.vendor({ installation });
    const session = newSession();
    await world.endSession(session, { how: 'abort' });
    const id = 'c'.repeat(32);
    const lease = {
      id,
      session,
      resource: 'shop',
      source: 'postgres-role' as const,
      profiles: [],
      login: `sallyport_${installation}_${id}`,
      expiresAtMs: Date.now() + 900_000,
    };
    // As by a vendor that was slow, and was killed before it made the role.
    await writeLease(world.bus, keys['vendor/v1'], { id: `${id}:x`, subject: id, key: id, timeMs: Date.now() }, 'lease.issued', lease);
    await until(async () => {
      await vendor.app.sweep();
      return (await world.leaseEvents([id])).length > 1;
    });
    await vendor.app.sweep();
    expect((await world.leaseEvents([id])).map(({ type }) => type)).toEqual(['lease.issued', 'lease.swept']);
  });

  it('P4: never takes a live role for an orphan because the record is slow to read', async () => {
    const first = await world.vendor({ installation });
    const { grant } = await world.obtain(first, newSession());
    const slow = { ...withHook(world.bus, () => {}), consume: async () => ({ close: async () => undefined }) };
    const second = await world.vendor({ bus: slow, installation, settleTimeoutMs: 100 });
    expect(await second.app.sweep()).toEqual({ swept: 0, failed: 1 });
    expect(await world.roles(installation)).toEqual([grant.lease.login]);
    expect(second.errors.join()).toContain('LEASE_RECORD');
  });

  it('P4: sweeps a lease that has expired by the clock of the target, its connections with it', async () => {
    const vendor = await world.vendor({ installation, resources: [world.shop(1000)] });
    const { grant, secret } = await world.obtain(vendor, newSession());
    const client = await world.signIn(secret);
    await until(async () => (await vendor.app.sweep()).swept === 1);
    await expect(client.query('SELECT 1')).rejects.toBeDefined();
    expect(await world.roles(installation)).toEqual([]);
    expect((await world.leaseEvents([grant.lease.id])).at(-1)).toMatchObject({ type: 'lease.swept', data: { id: grant.lease.id } });
  });

  it('P4: puts the end of an expired lease on record whose role is gone, when no clock can call it live', async () => {
    let passedMs = 0;
    const vendor = await world.vendor({ installation, clock: () => Date.now() + passedMs });
    const { grant } = await world.obtain(vendor, newSession());
    await world.server.query(`DROP OWNED BY "${grant.lease.login}"; DROP ROLE "${grant.lease.login}"`);
    passedMs = 60_000 + 290_000;
    expect(await vendor.app.sweep()).toEqual({ swept: 0, failed: 0 });
    passedMs = 60_000 + 301_000;
    expect(await vendor.app.sweep()).toEqual({ swept: 1, failed: 0 });
    expect((await world.leaseEvents([grant.lease.id])).map(({ type }) => type)).toEqual(['lease.issued', 'lease.swept']);
  });

  it('P4: a drop that fails is on record once, and the sweep makes up for it', async () => {
    const vendor = await world.vendor({ installation, limits: { dropTries: 1 } });
    const { grant, secret } = await world.obtain(vendor, newSession());
    await world.server.query(`GRANT CREATE ON SCHEMA public TO "${secret.user}"`);
    await (await world.signIn(secret)).query('CREATE TABLE contended (x int)');
    const holder = new Client({ connectionString: world.server.url() });
    await holder.connect();
    await holder.query('BEGIN; SELECT * FROM contended');
    await expect(vendor.request('lease.drop', drop(grant.lease.id))).rejects.toMatchObject({ code: 'LEASE_TARGET' });
    expect(await vendor.app.sweep()).toEqual({ swept: 0, failed: 1 });
    await holder.end();
    expect(await vendor.app.sweep()).toEqual({ swept: 1, failed: 0 });
    expect(await world.roles(installation)).toEqual([]);
    expect((await world.leaseEvents([grant.lease.id])).map((event) => event.type)).toEqual(['lease.issued', 'lease.failed', 'lease.swept']);
  });

  it('P4: a drop, an end and a sweep at the same time record one end', async () => {
    const vendor = await world.vendor({ installation });
    const sessions = Array.from({ length: 8 }, newSession);
    const issued = await Promise.all(sessions.map((session) => world.obtain(vendor, session)));
    const ids = issued.map(({ grant }) => grant.lease.id);
    await Promise.all([
      ...ids.map((id) => vendor.request('lease.drop', drop(id))),
      ...sessions.map((session) => world.endSession(session)),
      vendor.app.sweep(),
    ]);
    await vendor.app.sweep();
    expect(await world.roles(installation)).toEqual([]);
    const ends = (await world.leaseEvents(ids)).filter((event) => event.type !== 'lease.issued');
    expect(ends.map((event) => String(event.data['id'])).sort()).toEqual([...ids].sort());
  });

  it('sweeps by itself, at the start and then again', async () => {
    await world.vendor({ installation, sweepIntervalMs: 50 });
    for (const letter of ['c', 'd']) {
      await world.server.query(`CREATE ROLE "sallyport_${installation}_${letter.repeat(32)}"`);
      await until(async () => (await world.roles(installation)).length === 0);
    }
  });
});
