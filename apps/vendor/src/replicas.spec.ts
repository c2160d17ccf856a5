import { TOPICS } from '@sallyport/bus';
import { sessionKeyPair } from '@sallyport/lease';
import { Client } from 'pg';

import { E1, keys, newSession, type Running, until, withHook, World } from './testing/world.js';

let world: World;
let installation: string;
let clients: Client[] = [];

beforeAll(async () => {
  world = await World.start();
});

beforeEach(async () => {
  await world.freshBus();
  installation = world.installation();
});

afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.end().catch(() => undefined)));
  await world.settle();
});
afterAll(async () => world.stop());

const two = async (): Promise<readonly [Running, Running]> => [
  await world.vendor({ installation, key: keys['vendor/v1'] }),
  await world.vendor({ installation, key: keys['vendor/v2'] }),
];

const endsOf = async (ids: readonly string[]): Promise<string[]> =>
  (await world.leaseEvents(ids)).filter(({ type }) => type !== 'lease.issued').map(({ type }) => type);

/** Somebody holds what the role owns, so that it can't be dropped. */
async function contended(login: string): Promise<Client> {
  await world.server.query(`CREATE TABLE IF NOT EXISTS "t_${login}" (x int); ALTER TABLE "t_${login}" OWNER TO "${login}"`);
  const holder = new Client({ connectionString: world.server.url() });
  holder.on('error', () => undefined);
  await holder.connect();
  clients.push(holder);
  await holder.query(`BEGIN; SELECT * FROM "t_${login}"`);
  return holder;
}

describe('any number of vendors', () => {
  it('P4: either drops what the other has lent: when asked, and when the session ends; each end is on record once', async () => {
    const [one, other] = await two();
    const [asked, ended] = [newSession(), newSession()];
    const first = (await world.obtain(one, asked, { caller: E1 })).grant.lease;
    const second = (await world.obtain(other, ended, { caller: E1 })).grant.lease;
    await other.request('lease.drop', { id: first.id, resource: 'shop' }, E1);
    await world.endSession(ended);
    await until(async () => (await endsOf([first.id, second.id])).length === 2);
    // Both hear of the end of the other one's as well, and that it is on record.
    await world.endSession(asked);
    for (const vendor of [one, other]) {
      await until(
        async () => (await world.obtain(vendor, ended, { caller: E1 }).catch((e: { code: string }) => e.code)) === 'LEASE_SESSION_OVER',
      );
      await vendor.app.sweep();
    }
    expect(await world.roles(installation)).toEqual([]);
    expect(await endsOf([first.id, second.id])).toEqual(['lease.dropped', 'lease.dropped']);
    expect([...one.errors, ...other.errors]).toEqual([]);
  });

  it('P4: a request to one and the session’s end to the other at the same time record one end', async () => {
    const [one, other] = await two();
    const sessions = Array.from({ length: 6 }, newSession);
    const ids = (await Promise.all(sessions.map((session) => world.obtain(one, session)))).map(({ grant }) => grant.lease.id);
    await Promise.all([
      ...sessions.map((session) => world.endSession(session)),
      ...ids.map((id) => other.request('lease.drop', { id, resource: 'shop' })),
    ]);
    await until(async () => (await endsOf(ids)).length >= ids.length);
    await Promise.all([one, other].map((vendor) => vendor.app.sweep()));
    expect(await world.roles(installation)).toEqual([]);
    expect(await endsOf(ids)).toEqual(ids.map(() => 'lease.dropped'));
  });

  it('P3: a request that comes twice, to each of them, lends at most once', async () => {
    const [one, other] = await two();
    for (let round = 0; round < 4; round += 1) {
      const pair = await sessionKeyPair();
      const request = await world.request(newSession(), pair.publicKey);
      const answers = await Promise.allSettled([one, other].map((vendor) => vendor.request('lease.obtain', request)));
      const lent = answers.filter(({ status }) => status === 'fulfilled').length;
      expect(lent).toBeLessThanOrEqual(1);
      for (const answer of answers) if (answer.status === 'rejected') expect(answer.reason).toMatchObject({ code: 'LEASE_SESSION_LEASED' });
      await until(async () => (await world.roles(installation)).length === lent);
      const [login] = await world.roles(installation);
      if (login) await one.request('lease.drop', { id: login.split('_')[2]!, resource: 'shop' });
    }
    // One after the other, as a request that is delivered again most often comes.
    const pair = await sessionKeyPair();
    const request = await world.request(newSession(), pair.publicKey);
    await one.request('lease.obtain', request);
    await expect(other.request('lease.obtain', request)).rejects.toMatchObject({ code: 'LEASE_SESSION_LEASED' });
  });

  it('P4: the ends of a vendor that was killed come to another', async () => {
    const { bus, kill } = world.separateBus();
    const doomed = await world.vendor({ installation, key: keys['vendor/v1'], bus, limits: { dropTries: 1000, patienceMs: 60_000 } });
    const session = newSession();
    const { grant } = await world.obtain(doomed, session);
    const holder = await contended(grant.lease.login);
    await world.endSession(session, { how: 'abort' });
    // It has taken the end, and gets nowhere with it.
    await until(async () => {
      const { rows } = await world.server.query('SELECT FROM pg_roles WHERE rolname = $1 AND NOT rolcanlogin', [grant.lease.login]);
      return rows.length === 1;
    });
    const other = await world.vendor({ installation, key: keys['vendor/v2'] });
    kill();
    world.forget(doomed);
    await holder.end();
    await until(async () => (await endsOf([grant.lease.id])).length > 0);
    expect(await endsOf([grant.lease.id])).toEqual(['lease.dropped']);
    expect(await world.roles(installation)).toEqual([]);
    expect(other.errors).toEqual([]);
  });

  it('P4: an end that was committed and not carried out is made up for by any vendor’s sweep', async () => {
    const doomed = await world.vendor({ installation, key: keys['vendor/v1'], limits: { dropTries: 1, patienceMs: 10 } });
    const other = await world.vendor({ installation, key: keys['vendor/v2'] });
    const session = newSession();
    const { grant } = await world.obtain(doomed, session);
    const holder = await contended(grant.lease.login);
    await world.endSession(session);
    await until(async () => (await endsOf([grant.lease.id])).includes('lease.failed'));
    world.forget(doomed);
    await doomed.app.close();
    await holder.end();
    expect(await other.app.sweep()).toEqual({ swept: 1, failed: 0 });
    expect(await endsOf([grant.lease.id])).toEqual(['lease.failed', 'lease.swept']);
  });

  it('P4: a target that hangs does not hold up the ends of sessions on others', async () => {
    const old = { name: 'old', kind: 'postgres' as const, labels: { env: 'test' }, database: 'test' };
    const credential = { kind: 'static' as const, user: 'legacy', password: 'static-secret' };
    const vendor = await world.vendor({
      installation,
      limits: { dropTries: 1000, patienceMs: 50, maxPerTarget: 2 },
      resources: [world.shop(), { ...old, credential }],
    });
    const hanging = Array.from({ length: 5 }, newSession);
    const stuck = await Promise.all(hanging.map((session) => world.obtain(vendor, session)));
    const session = newSession();
    const { grant } = await world.obtain(vendor, session, { resource: 'old' });
    const holders = await Promise.all(stuck.map((each) => contended(each.grant.lease.login)));
    for (const each of hanging) await world.endSession(each);
    await world.endSession(session);
    await until(async () => (await endsOf([grant.lease.id])).includes('lease.dropped'));
    expect(await world.roles(installation)).toHaveLength(5);
    await Promise.all(holders.map((holder) => holder.end()));
    await until(async () => (await world.roles(installation)).length === 0);
  });

  it('P4: several sweep one target at the same time: each orphan ends once, and no live role does', async () => {
    const [one, other] = await two();
    const { grant } = await world.obtain(one, newSession());
    const orphans = Array.from({ length: 12 }, (_, i) => i.toString(16).padStart(32, '0'));
    for (const id of orphans) await world.server.query(`CREATE ROLE "sallyport_${installation}_${id}" LOGIN`);
    const counts = await Promise.all([one, other, one, other].map((vendor) => vendor.app.sweep()));
    expect(counts.some(({ failed }) => failed > 0)).toBe(false);
    await one.app.sweep();
    expect(await world.roles(installation)).toEqual([grant.lease.login]);
    expect(await endsOf(orphans)).toEqual(orphans.map(() => 'lease.swept'));
  });

  it('P4: an agent that takes the lock of the sweep keeps nobody from sweeping', async () => {
    const vendor = await world.vendor({ installation });
    const { secret } = await world.obtain(vendor, newSession());
    const agent = await world.signIn(secret);
    // It may look at any time; here it has seen the key.
    const seen = new Promise<{ classid: string; objid: string }>((resolve) => {
      void (async () => {
        for (;;) {
          const { rows } = await agent.query<{ classid: string; objid: string }>("SELECT * FROM pg_locks WHERE locktype = 'advisory'");
          if (rows[0]) return resolve(rows[0]);
        }
      })();
    });
    await until(async () => {
      await vendor.app.sweep();
      return Promise.race([seen.then(() => true), new Promise<boolean>((resolve) => setTimeout(resolve, 5, false))]);
    });
    const { classid, objid } = await seen;
    await agent.query(`SELECT pg_advisory_lock(${Number(classid) | 0}, ${Number(objid) | 0})`);
    await world.server.query(`CREATE ROLE "sallyport_${installation}_${'e'.repeat(32)}" LOGIN`);
    expect(await vendor.app.sweep()).toEqual({ swept: 1, failed: 0 });
  });

  it('a lease that this replica has not read of yet is waited for before its drop is decided', async () => {
    const one = await world.vendor({ installation, key: keys['vendor/v1'] });
    let held = (): void => undefined;
    const reading = new Promise<void>((resolve) => (held = resolve));
    const late = {
      ...withHook(world.bus, () => {}),
      consume: (options: Parameters<typeof world.bus.consume>[0]) =>
        world.bus.consume(
          options.topic === TOPICS.leases
            ? {
                ...options,
                onBatch: async (batch, context) => {
                  await reading;
                  await options.onBatch(batch, context);
                },
              }
            : options,
        ),
    };
    const other = await world.vendor({ installation, key: keys['vendor/v2'], bus: late });
    const { grant } = await world.obtain(one, newSession(), { caller: E1 });
    let answered = false;
    const dropped = other
      .request('lease.drop', { id: grant.lease.id, resource: 'shop' }, { name: 'edge/e2', role: 'edge' })
      .finally(() => (answered = true));
    dropped.catch(() => undefined);
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(answered).toBe(false);
    held();
    await expect(dropped).rejects.toMatchObject({ code: 'LEASE_NOT_HOLDER' });
    expect(await world.roles(installation)).toEqual([grant.lease.login]);
  });
});
