import { TOPICS } from '@sallyport/bus';
import { controlEvent, leaseEvent, type LeaseEvents } from '@sallyport/events';
import type { Lease } from '@sallyport/lease';
import { signRecord, writeControl, writeLease } from '@sallyport/trust';

import { E1, E2, type EndOptions, keys, newSession, type Running, strangers, until, World } from './testing/world.js';

let world: World;
let vendor: Running;
let installation: string;
let session: string;
let lease: Lease;

beforeAll(async () => {
  world = await World.start();
});

beforeEach(async () => {
  await world.freshBus();
  installation = world.installation();
  vendor = await world.vendor({ installation });
  session = newSession();
  lease = (await world.obtain(vendor, session, { caller: E1 })).grant.lease;
});

afterEach(async () => world.settle());
afterAll(async () => world.stop());

const at = (id: string) => ({ id: `${id}:forged`, subject: id, key: id, timeMs: Date.now() });

/** Whoever can write to the bus: without a signature, with a stranger's, or as a service whose business it isn't. */
async function forgedLease<Type extends keyof LeaseEvents>(type: Type, data: LeaseEvents[Type]): Promise<void> {
  const { bytes } = leaseEvent({ id: `${data.id}:plain`, source: '/vendor/v1', subject: data.id }, type, data, Date.now());
  await world.bus.produce(TOPICS.leases, [{ key: data.id, value: bytes }]);
  await world.bus.produce(TOPICS.leases, [signRecord(strangers['vendor/v1'], TOPICS.leases, { key: data.id, value: bytes })]);
  await world.bus.produce(TOPICS.leases, [signRecord(keys['edge/e1'], TOPICS.leases, { key: data.id, value: bytes })]);
  for (const key of [strangers['vendor/v1'], keys['edge/e1'], keys['console/c1']])
    await writeLease(world.bus, key, at(data.id), type, data);
}

/** All that was written before is read by every consumer. */
async function afterAllIsRead(): Promise<void> {
  const marker = newSession();
  const { grant } = await world.obtain(vendor, marker, { caller: E1 });
  await world.endSession(marker);
  await until(async () => (await world.leaseEvents([grant.lease.id])).some(({ type }) => type === 'lease.dropped'));
}

describe('P4: a hostile producer on the lease topic', () => {
  it('P4: a forged end makes no live lease look ended: it isn’t swept, and its real end still drops it', async () => {
    const { id, resource, login } = lease;
    await forgedLease('lease.dropped', { id, resource, login });
    await forgedLease('lease.swept', { id, resource, login });
    await forgedLease('lease.failed', { id, resource, login, code: 'LEASE_TARGET' });
    for (const each of [vendor, await world.vendor({ installation, key: keys['vendor/v2'] })]) {
      expect(await each.app.sweep()).toEqual({ swept: 0, failed: 0 });
    }
    expect(await world.roles(installation)).toEqual([login]);
    await world.endSession(session);
    await until(async () => (await world.roles(installation)).length === 0);
  });

  it('P4: a forged issue keeps no orphan alive', async () => {
    const id = 'f'.repeat(32);
    const login = `sallyport_${installation}_${id}`;
    await forgedLease('lease.issued', { ...lease, id, login, session: newSession(), expiresAtMs: Date.now() + 3_600_000 });
    await world.server.query(`CREATE ROLE "${login}" LOGIN`);
    const restarted = await world.vendor({ installation, key: keys['vendor/v2'] });
    expect(await restarted.app.sweep()).toEqual({ swept: 1, failed: 0 });
    expect(await world.roles(installation)).toEqual([lease.login]);
  });

  it('a forged issue keeps no session from its lease', async () => {
    const next = newSession();
    await forgedLease('lease.issued', { ...lease, id: 'e'.repeat(32), session: next });
    await afterAllIsRead();
    await world.obtain(vendor, next);
  });
});

describe('P4: a hostile producer on the session topic', () => {
  const cases: [string, EndOptions][] = [
    ['signed by a stranger under the edge’s name', { key: strangers['edge/e1'] }],
    ['aborted by a stranger under the edge’s name', { key: strangers['edge/e1'], how: 'abort' }],
    ['signed by a service that is no edge', { key: keys['vendor/v1'] }],
    ['signed by another edge under this one’s name', { key: keys['edge/e2'], source: '/edge/e1' }],
    ['of another edge, under its own name', { key: keys['edge/e2'] }],
    ['aborted by another edge, under its own name', { key: keys['edge/e2'], how: 'abort' }],
    ['whose signature is for another place in the chain', { alter: (bytes) => changed(bytes, (event) => ({ ...event, sequence: 7 })) }],
    [
      'with another signature',
      { alter: (bytes) => Buffer.from(bytes.toString().replaceAll(/"signature":"[^"]{8}/g, '"signature":"AAAAAAAA')) },
    ],
    ['that is no JSON', { alter: (bytes) => Buffer.concat([Buffer.from('"session.closed"'), bytes]) }],
  ];

  it.each(cases)('P4: an end %s drops nothing', async (_what, options) => {
    await world.endSession(session, options);
    await afterAllIsRead();
    expect(await vendor.app.sweep()).toEqual({ swept: 0, failed: 0 });
    expect(await world.roles(installation)).toEqual([lease.login]);
    expect((await world.leaseEvents([lease.id])).map(({ type }) => type)).toEqual(['lease.issued']);
    // The real one does, and so it does when the edge comes back after a kill.
    await world.endSession(session, { how: 'abort' });
    await until(async () => (await world.roles(installation)).length === 0);
  });

  it('P4: another edge’s word does not keep a session from its lease', async () => {
    const next = newSession();
    await world.endSession(next, { key: keys['edge/e2'] });
    await afterAllIsRead();
    await expect(world.obtain(vendor, next, { caller: E2 })).rejects.toMatchObject({ code: 'LEASE_SESSION_OVER' });
    await world.obtain(vendor, next, { caller: E1 });
  });
});

describe('P10: a hostile producer on the control topic', () => {
  it('P10: revokes nobody, and can not keep a real revocation from being heard', async () => {
    const data = { subject: 'agent', by: 'dana', reason: 'mischief' };
    const late = { id: 'r', subject: 'agent', key: 'agent', timeMs: Date.now() + 1000 };
    const { bytes } = controlEvent({ id: 'r', source: '/console/c1', subject: 'agent' }, 'principal.revoked', data, late.timeMs);
    await world.bus.produce(TOPICS.control, [
      { key: 'agent', value: bytes },
      { key: 'agent', value: Buffer.from('rubbish') },
    ]);
    for (const key of [strangers['console/c1'], keys['edge/e1'], keys['vendor/v1']]) {
      await writeControl(world.bus, key, late, 'principal.revoked', data);
    }
    const restarted = await world.vendor({ installation, key: keys['vendor/v2'] });
    await world.obtain(restarted, newSession());
    await writeControl(world.bus, keys['console/c1'], { ...late, id: 'real' }, 'principal.revoked', data);
    await until(async () => (await world.obtain(restarted, newSession()).catch((e: { code: string }) => e.code)) === 'LEASE_TOKEN');
  });
});

function changed(bytes: Buffer, change: (event: Record<string, unknown>) => unknown): Buffer {
  return Buffer.from(JSON.stringify(change(JSON.parse(bytes.toString()) as Record<string, unknown>)));
}
