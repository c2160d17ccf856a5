import { type LeaseGrant, sessionKeyPair, tokenBinding } from '@sallyport/lease';
import { sealKeyOf, sealTo, writeControl } from '@sallyport/trust';

import { E1, keys, newSession, type Running, until, World } from './testing/world.js';

let world: World;
let vendor: Running;
let installation: string;

beforeAll(async () => {
  world = await World.start();
});

beforeEach(async () => {
  await world.freshBus();
  installation = world.installation();
  vendor = await world.vendor({ installation });
});

afterEach(async () => world.settle());
afterAll(async () => world.stop());

/** Nothing was made, and nothing is on record. */
async function nothingHappened(): Promise<void> {
  expect(await world.roles(installation)).toEqual([]);
  expect(await world.text()).not.toContain('lease.issued');
}

describe('P3: the vendor does not believe the edge', () => {
  it('P3: lends what its own verdict of the agent’s own token names', async () => {
    const { grant, secret } = await world.obtain(vendor, newSession(), { caller: E1 });
    expect(grant.lease).toMatchObject({ profiles: ['reader'], holder: 'edge/e1' });
    const client = await world.signIn(secret);
    expect((await client.query('SELECT x FROM items')).rows).toEqual([{ x: 1 }]);
    await expect(client.query('INSERT INTO items VALUES (2)')).rejects.toMatchObject({ code: '42501' });
  });

  it('P3: the token is on the bus sealed only, and in no record and no error', async () => {
    const token = world.tokens.of('agent');
    const pair = await sessionKeyPair();
    expect(JSON.stringify(await world.request(newSession(), pair.publicKey, { token }))).not.toContain(token.split('.')[2]);
    await world.obtain(vendor, newSession(), { token });
    const error: unknown = await world.obtain(vendor, newSession(), { token: `${token}x` }).catch((e: unknown) => e);
    expect(error).toMatchObject({ code: 'LEASE_TOKEN' });
    for (const part of token.split('.')) expect(`${await world.text()}${JSON.stringify(error)}${vendor.errors.join()}`).not.toContain(part);
  });

  it.each([
    ['another profile that the resource has', ['writer']],
    ['more profiles', ['reader', 'writer']],
    ['none', []],
  ])('P3: an edge that asks for %s gets nothing', async (_what, profiles) => {
    await expect(world.obtain(vendor, newSession(), { profiles })).rejects.toMatchObject({ code: 'LEASE_VERDICT' });
    await nothingHappened();
  });

  it('P3: an edge that opens for whom policy does not let in gets nothing', async () => {
    const token = world.tokens.of('stranger', { groups: ['visitors'] });
    await expect(world.obtain(vendor, newSession(), { token, subject: 'stranger' })).rejects.toMatchObject({ code: 'LEASE_VERDICT' });
    await nothingHappened();
  });

  it('P2: policy that gives no answer lends nothing', async () => {
    const broken = await world.vendor({
      installation,
      verdicts: {
        revision: 'r1',
        decide: () => {
          throw new Error('no engine');
        },
      },
    });
    await expect(world.obtain(broken, newSession())).rejects.toMatchObject({ code: 'LEASE_VERDICT', message: 'policy gave no answer' });
    await nothingHappened();
  });

  it('P3: a token of another principal opens no session of this one, and lends its own rights only', async () => {
    const clerk = world.tokens.of('clerk', { groups: ['clerks'] });
    await expect(world.obtain(vendor, newSession(), { token: clerk, profiles: ['writer'] })).rejects.toMatchObject({ code: 'LEASE_TOKEN' });
    await expect(world.obtain(vendor, newSession(), { subject: 'clerk', profiles: ['writer'] })).rejects.toMatchObject({
      code: 'LEASE_TOKEN',
    });
    await nothingHappened();
    const { grant } = await world.obtain(vendor, newSession(), { token: clerk, subject: 'clerk', profiles: ['writer'] });
    expect(grant.lease.profiles).toEqual(['writer']);
  });

  it.each([
    ['expired', () => ({ exp: Math.floor(Date.now() / 1000) - 301 })],
    ['for another audience', () => ({ aud: 'elsewhere' })],
    ['of an issuer that nobody knows', () => ({ iss: 'https://elsewhere.test' })],
    ['not valid yet', () => ({ nbf: Math.floor(Date.now() / 1000) + 400 })],
  ])('P3: a token that is %s lends nothing', async (_what, claims) => {
    await expect(world.obtain(vendor, newSession(), { token: world.tokens.of('agent', claims()) })).rejects.toMatchObject({
      code: 'LEASE_TOKEN',
    });
    await nothingHappened();
  });

  it('P3: a sealed token that was stolen from the bus opens for no other session, no other key and no other purpose', async () => {
    const [mine, thief] = await Promise.all([sessionKeyPair(), sessionKeyPair()]);
    const session = newSession();
    const stolen = (await world.request(session, mine.publicKey))['sealedToken'] as string;
    for (const [name, key] of [
      [newSession(), mine.publicKey],
      [session, thief.publicKey],
    ] as const) {
      const request = await world.request(name, key, { sealedToken: stolen });
      await expect(vendor.request('lease.obtain', request)).rejects.toMatchObject({ code: 'LEASE_TOKEN' });
    }
    const { key: _, ...unbound } = tokenBinding({ session, publicKey: thief.publicKey });
    const elsewhere = await sealTo(world.sealKeys, world.tokens.of('agent'), { ...unbound, purpose: 'approval' });
    await expect(world.obtain(vendor, session, { sealedToken: elsewhere })).rejects.toMatchObject({ code: 'LEASE_TOKEN' });
    await nothingHappened();
    // As it is, it lends to the session that sealed it, and is answered to that session's key.
    const grant = await vendor.request<LeaseGrant>('lease.obtain', await world.request(session, mine.publicKey, { sealedToken: stolen }));
    await expect(thief.open(grant.sealed, { session, lease: grant.lease.id })).rejects.toMatchObject({ code: 'LEASE_SEAL_REFUSED' });
  });

  it('P3: what was sealed to somebody else does not open here', async () => {
    const pair = await sessionKeyPair();
    const session = newSession();
    const sealedToken = await sealTo(
      [sealKeyOf(keys['vendor/v2'])],
      world.tokens.of('agent'),
      tokenBinding({ session, publicKey: pair.publicKey }),
    );
    await expect(vendor.request('lease.obtain', await world.request(session, pair.publicKey, { sealedToken }))).rejects.toMatchObject({
      code: 'LEASE_TOKEN',
    });
  });

  it('P10: a principal that was revoked gets no lease, here and after a restart', async () => {
    const token = world.tokens.of('agent');
    await world.obtain(vendor, newSession(), { token });
    await writeControl(
      world.bus,
      keys['console/c1'],
      { id: 'r1', subject: 'agent', key: 'agent', timeMs: Date.now() + 1000 },
      'principal.revoked',
      { subject: 'agent', by: 'dana', reason: 'leaked' },
    );
    const refused = { code: 'LEASE_TOKEN', message: expect.stringContaining('REVOKED') as string };
    const again = await world.vendor({ installation, key: keys['vendor/v2'] });
    await expect(world.obtain(again, newSession(), { token })).rejects.toMatchObject(refused);
    await until(async () => (await world.obtain(vendor, newSession(), { token }).catch((e: { code: string }) => e.code)) === 'LEASE_TOKEN');
    const fresh = world.tokens.of('agent', { iat: Math.floor(Date.now() / 1000) + 2 });
    await world.obtain(vendor, newSession(), { token: fresh });
  });

  it('the run is the token’s where it names one', async () => {
    const asked: (string | null)[] = [];
    const asking = await world.vendor({
      installation,
      verdicts: {
        revision: 'r1',
        decide: (input) => {
          asked.push(input.session.run);
          return world.policy.decide(input);
        },
      },
    });
    await world.obtain(asking, newSession(), { run: 'night' });
    await world.obtain(asking, newSession(), { run: 'night', token: world.tokens.of('agent', { run: 'day' }) });
    expect(asked).toEqual(['night', 'day']);
  });
});

describe('clocks that differ', () => {
  it.each([-300_000, 300_000])(
    'P4: a vendor whose clock is %d ms off lends all the same, and never longer than token and tolerance',
    async (offMs) => {
      const clock = () => Date.now() + offMs;
      const off = await world.vendor({ installation: world.installation(), clock });
      // Fresh, and with less left than the clocks are apart.
      const exp = Math.floor(Date.now() / 1000) + 120;
      const token = world.tokens.of('agent', { exp });
      const { grant, secret } = await world.obtain(off, newSession(), { token, notAfterMs: exp * 1000 });
      await world.signIn(secret);
      expect(grant.expiresInMs).toBeGreaterThan(0);
      expect(grant.expiresInMs).toBeLessThanOrEqual(60_000);
      expect(grant.lease.expiresAtMs).toBeLessThanOrEqual(exp * 1000 + 300_000);
      await off.app.sweep();
      expect(await world.roles(grant.lease.login.split('_')[1]!)).toEqual([grant.lease.login]);
    },
  );

  it('P4: the credential ends with the token, whatever the edge says and however long the resource lends', async () => {
    const patient = await world.vendor({ installation, resources: [world.shop(24 * 3_600_000)], limits: { clockSkewMs: 1000 } });
    const exp = Math.floor(Date.now() / 1000) + 120;
    const { grant } = await world.obtain(patient, newSession(), {
      token: world.tokens.of('agent', { exp }),
      notAfterMs: Date.now() + 24 * 3_600_000,
    });
    expect(grant.lease.expiresAtMs).toBe(exp * 1000 + 1000);
  });
});
