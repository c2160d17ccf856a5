/**
 * Somebody who can read and write every topic and has no enrolled key (promises P2, P3, P4, P6, P10). It calls itself by the names of services,
 * sends what they sent once more, and changes it. It gets no credential, approves nothing, revokes nothing, and ends nothing.
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { BusClient } from '@sallyport/adapter-nest-bus';
import { pages, TOPICS } from '@sallyport/bus';
import { generateSigningKey, loadOrCreateKey, SessionStream } from '@sallyport/events';
import { sessionKeyPair } from '@sallyport/lease';
import { announce, fileRoster, signRecord, writeControl, writeLease } from '@sallyport/trust';
import { noRoles, verify } from './checks.mjs';
import { APPROVER, connect, console_, eventually, failureOf, HELD, INSTALLATION } from './world.mjs';

/** Long enough for every consumer to have looked at what was sent. */
const HEARD_MS = 1500;
const READ_RECORDS = 500;
const AGENT = 'agent-1';
const REVOKED = 'agent-revoked-1';

async function recordsOf(bus, topic) {
  const all = [];
  for (const ends of await bus.ends(topic)) {
    for await (const page of pages(bus, topic, ends, READ_RECORDS)) all.push(...page);
  }
  return all;
}

const copyOf = ({ key, value, headers, timestampMs, partition }) => ({ key, value, headers, timestampMs, partition });

/** The same signature over something else. */
function altered(record, change) {
  const value = JSON.parse(record.value.toString());
  change(value);
  return { ...copyOf(record), value: Buffer.from(JSON.stringify(value)) };
}

/** What an attack may not touch: sessions that live, an operation that waits, leases, roles. */
async function scene(world) {
  const agent = await connect(world, AGENT);
  const held = await connect(world, HELD);
  await agent.query("INSERT INTO effects (marker) VALUES ('m-scene-1-')");
  const waiting = held.query("INSERT INTO effects (marker) VALUES ('m-scene-held-1-')");
  waiting.catch(() => undefined);
  const hold = await eventually(async () => {
    const asked = (await recordsOf(world.bus, TOPICS.sessions)).find(({ value }) => value.includes('"approval.requested"'));
    assert.ok(asked);
    const { data, sessionid } = JSON.parse(asked.value.toString());
    return { ...data, session: sessionid };
  });
  // A session that has ended, and one that was revoked: something genuine of every kind to copy.
  await (await connect(world, 'agent-2')).end();
  const revoked = await connect(world, REVOKED);
  assert.equal((await console_(world, 'POST', `principals/${REVOKED}/revoke`, { body: { reason: 'genuine' } })).status, 202);
  await revoked.ended;
  await eventually(async () => {
    await world.log.read();
    const ended = [...world.log.leases.values()].filter(({ ends }) => ends.length > 0);
    assert.equal(ended.length, 2);
  });
  const session = [...world.log.sessions.values()].find(({ subject, end }) => subject === AGENT && !end);
  const lease = [...world.log.leases.values()].find((one) => one.session === session.id);
  const leases = world.log.leases.size;
  return {
    agent,
    held,
    waiting,
    hold,
    session,
    lease,
    /** Nothing of it has changed. */
    async stands(after) {
      await sleep(HEARD_MS);
      assert.equal((await agent.query('SELECT 1 AS one')).rows[0].one, 1, `${after}: a session was ended`);
      const { rowCount } = await world.target.query("SELECT 1 FROM effects WHERE marker = 'm-scene-held-1-'");
      assert.equal(rowCount, 0, `${after}: a held operation ran`);
      const roles = await world.target.query(String.raw`SELECT rolname FROM pg_roles WHERE rolname LIKE 'sallyport\_%'`);
      assert.equal(roles.rowCount, 2, `${after}: roles at the target are ${JSON.stringify(roles.rows)}`);
      const issued = (await recordsOf(world.bus, TOPICS.leases)).filter(({ value }) => value.includes('"lease.issued"')).length;
      assert.equal(issued, leases, `${after}: a credential was issued`);
    },
  };
}

function approvalOf(world, { hold, hash, session, revision }) {
  for (const text of [hold, hash, session, revision]) assert.equal(typeof text, 'string');
  return { hold, hash, session, by: { subject: APPROVER, issuer: world.fleet.issuer.issuer, groups: ['dba'] }, rules: [], revision };
}

/** The same words by an enrolled key do all of it: so what was tried was no nonsense. */
async function withEnrolledKeys(world, { hold, waiting, agent, session }) {
  const keyOf = (service) => loadOrCreateKey(join(world.fleet.service(service).dataDir, 'keys'), service);
  const event = (subject, key) => ({ id: randomUUID(), subject, key, timeMs: Date.now() });
  await writeControl(world.bus, await keyOf('decision/d1'), event(HELD, hold.session), 'approval.given', approvalOf(world, hold));
  assert.equal((await Promise.race([waiting, sleep(10_000)]))?.rowCount, 1, 'an approval by an enrolled key was not applied');
  const revocation = { session: session.id, by: 'nobody', reason: 'control' };
  await writeControl(world.bus, await keyOf('console/c1'), event(AGENT, session.id), 'session.revoked', revocation);
  assert.equal((await Promise.race([agent.ended, sleep(10_000)]))?.code, '57P01', 'a revocation by an enrolled key was not heard');
}

const nobody = (name) => generateSigningKey(name);

/** Each is tried on a scene that must stand afterwards. */
const ATTACKS = {
  async 'asks for a credential with a key of its own'({ world, roster }) {
    const [genuine] = (await recordsOf(world.bus, 'sallyport.lease.requests')).filter(({ value }) => value.includes('lease.obtain'));
    const { data } = JSON.parse(genuine.value.toString()).requests.find(({ pattern }) => pattern === 'lease.obtain');
    const client = new BusClient({ bus: world.bus, service: 'lease', key: nobody('edge/e1'), roster });
    await client.connect();
    const { publicKey } = await sessionKeyPair();
    const failure = await failureOf(client.request('lease.obtain', { ...data, publicKey }, { timeoutMs: HEARD_MS }));
    await client.close();
    assert.ok(failure, 'it was answered');
  },
  async 'sends every request once more, as it was and with another key or session in it'({ world, scene: { session } }) {
    const { publicKey } = await sessionKeyPair();
    for (const service of ['lease', 'decide', 'projector']) {
      const genuine = await recordsOf(world.bus, `sallyport.${service}.requests`);
      const changes = genuine.map((record) =>
        altered(record, (value) => {
          value.sentAtMs = Date.now();
          value.client = randomUUID();
          for (const request of value.requests) if (request.pattern === 'lease.obtain') Object.assign(request.data, { publicKey });
        }),
      );
      const elsewhere = genuine.map((record) =>
        altered(record, (value) => {
          for (const request of value.requests) if (request.data?.session) request.data.session = session.id;
        }),
      );
      const all = [...genuine.map(copyOf), ...changes, ...elsewhere];
      if (all.length > 0) await world.bus.produce(`sallyport.${service}.requests`, all);
    }
  },
  async 'has credentials dropped, by its own key and by a genuine request with another lease'({ world, roster, scene: { lease } }) {
    const client = new BusClient({ bus: world.bus, service: 'lease', key: nobody('edge/e1'), roster });
    await client.connect();
    await failureOf(client.request('lease.drop', { id: lease.id, resource: 'shop' }, { timeoutMs: HEARD_MS }));
    await client.close();
    const drops = (await recordsOf(world.bus, 'sallyport.lease.requests')).filter(({ value }) => value.includes('lease.drop'));
    assert.ok(drops.length > 0);
    const onto = (value) => {
      for (const request of value.requests) if (request.pattern === 'lease.drop') request.data.id = lease.id;
    };
    await world.bus.produce(
      'sallyport.lease.requests',
      drops.map((record) => altered(record, onto)),
    );
  },
  async 'writes that leases have ended'({ world, scene: { lease } }) {
    const data = { id: lease.id, resource: 'shop', login: lease.login };
    for (const type of ['lease.dropped', 'lease.swept'])
      await writeLease(
        world.bus,
        nobody('vendor/v1'),
        { id: randomUUID(), subject: lease.id, key: lease.id, timeMs: Date.now() },
        type,
        data,
      );
    const [genuine] = (await recordsOf(world.bus, TOPICS.leases)).filter(({ value }) => value.includes('lease.dropped'));
    await world.bus.produce(TOPICS.leases, [copyOf(genuine), altered(genuine, (value) => Object.assign(value.data, data))]);
  },
  async 'approves: by its own key, unsigned, and by a genuine refusal turned around'({ world, scene: { hold } }) {
    const data = approvalOf(world, hold);
    const event = { id: randomUUID(), subject: HELD, key: hold.session, timeMs: Date.now() };
    for (const name of ['decision/d1', 'console/c1', 'edge/e1']) await writeControl(world.bus, nobody(name), event, 'approval.given', data);
    const written = (await recordsOf(world.bus, TOPICS.control)).findLast(({ value }) => value.includes('approval.given'));
    await world.bus.produce(TOPICS.control, [{ ...copyOf(written), headers: {} }]);
  },
  async 'revokes: by its own key, unsigned, and by a genuine revocation of somebody else'({ world, scene: { session } }) {
    const event = () => ({ id: randomUUID(), subject: AGENT, key: AGENT, timeMs: Date.now() });
    const by = { by: 'nobody', reason: 'forged' };
    for (const name of ['console/c1', 'edge/e1', 'decision/d1']) {
      await writeControl(world.bus, nobody(name), event(), 'principal.revoked', { subject: AGENT, ...by });
      await writeControl(world.bus, nobody(name), event(), 'session.revoked', { session: session.id, ...by });
    }
    const genuine = (await recordsOf(world.bus, TOPICS.control)).find(({ value }) => value.includes('"genuine"'));
    await world.bus.produce(TOPICS.control, [
      copyOf(genuine),
      { ...altered(genuine, (value) => (value.data.subject = AGENT)), key: AGENT },
      { ...copyOf(genuine), headers: {}, key: AGENT },
    ]);
  },
  async 'confirms a revocation for an edge, and announces itself as a decision service to be told tokens'({ world }) {
    await announce(world.bus, nobody('decision/d1'), { installation: INSTALLATION, version: '0.0.0', nowMs: Date.now() });
    await announce(world.bus, nobody('vendor/v9'), { installation: INSTALLATION, version: '0.0.0', nowMs: Date.now() });
    const event = { id: randomUUID(), subject: 'edge/e1', key: 'edge/e1', timeMs: Date.now() };
    await writeControl(world.bus, nobody('edge/e1'), event, 'revocation.applied', { revocation: randomUUID(), sessions: 0 });
  },
  async 'closes a live session, signed by its own key and by nobody'({ world, scene: { session } }) {
    await world.log.read();
    const { hashes, id, subject, source } = session;
    const state = { sequence: hashes.length, head: hashes.at(-1) };
    const closed = { reason: 'client', operations: 0, rows: 0, bytes: 0, denials: 0 };
    for (const name of ['edge/e1', 'edge/e2']) {
      const { bytes } = new SessionStream({ session: id, source, subject }, nobody(name), state).close(closed, Date.now());
      await world.bus.produce(TOPICS.sessions, [
        { key: id, value: bytes },
        signRecord(nobody(name), TOPICS.sessions, { key: id, value: bytes }),
      ]);
    }
  },
};

/** With nobody there to decide, it answers: genuine replies with another number on them, and its own. */
async function answersInTheirPlace({ world, scene: { agent } }) {
  const genuine = (await recordsOf(world.bus, 'sallyport.decide.replies')).filter(({ value }) => value.includes('"allow"'));
  assert.ok(genuine.length > 0);
  const key = nobody('decision/d1');
  await Promise.all(world.fleet.of('decision').map((service) => service.kill()));
  let answered = 0;
  const consumption = await world.bus.consume({
    topic: 'sallyport.decide.requests',
    start: { at: 'latest' },
    async onBatch(batch) {
      for (const record of batch) {
        const asked = JSON.parse(record.value.toString());
        const forged = genuine.slice(-3).map((reply) =>
          altered(reply, (value) => {
            value.client = asked.client;
            value.replies = asked.requests.map(({ id }) => ({ ...value.replies[0], id }));
          }),
        );
        const own = forged.map(({ value, partition }) => ({
          ...signRecord(key, 'sallyport.decide.replies', { key: asked.client, value }),
          partition: asked.partition ?? partition,
        }));
        answered += asked.requests.length;
        await world.bus.produce('sallyport.decide.replies', [
          ...own,
          ...forged.map((reply) => ({ ...reply, key: asked.client, partition: asked.partition })),
        ]);
      }
    },
  });
  try {
    const failure = await failureOf(agent.query('CREATE TABLE forged (marker text)'));
    assert.ok(answered > 0, 'there was nothing to answer');
    assert.equal(failure?.code, '42501', `a forged verdict was believed: ${failure?.message}`);
  } finally {
    await consumption.close();
    await world.fleet.start('decision');
  }
  assert.equal((await world.target.query("SELECT 1 FROM pg_class WHERE relname = 'forged'")).rowCount, 0);
}

export const hostileScenarios = [
  {
    name: 'P2 P3 P4 P6 P10: a hostile producer on every topic gets no credential, approves nothing, revokes nothing, ends nothing',
    breaks: true,
    async run({ world }) {
      const roster = fileRoster(world.fleet.rosterFile);
      const before = await scene(world);
      for (const [name, attack] of Object.entries(ATTACKS)) {
        await attack({ world, roster, scene: before });
        await before.stands(name);
      }
      // People are not told that it is over, either.
      const shown = await console_(world, 'GET', `sessions/${before.session.id}`);
      await answersInTheirPlace({ world, scene: before });
      await before.stands('replies');

      // All services read it again from the start, and believe none of it either.
      for (const role of ['decision', 'vendor', 'projector', 'console']) {
        for (const service of world.fleet.of(role)) {
          await service.kill();
          await service.start();
        }
      }
      await before.stands('all but the edges started again');
      await withEnrolledKeys(world, before);
      const late = await connect(world, 'agent-3', { edge: 'edge/e2' });
      await late.query("INSERT INTO effects (marker) VALUES ('m-scene-late-1-')");
      await Promise.all([late.end(), before.held.end()]);
      // Its lease's end was forged; it is dropped all the same.
      await eventually(() => noRoles(world), 60_000);

      // And whoever verifies the log finds what does not belong there.
      const { code, stdout } = await verify(world);
      assert.equal(code, 1, stdout.slice(0, 2000));
      const codes = JSON.parse(stdout).reports.flatMap(({ integrity }) => integrity.problems.map((problem) => problem.code));
      assert.ok(
        codes.some((problem) => /^(CLOSING_KEY_UNKNOWN|CLOSING_SIGNATURE|EVENT_AFTER_CLOSING|DUPLICATE_DIFFERS)$/.test(problem)),
        `${codes}`,
      );
      return { shownAs: shown.body.state, attacks: Object.keys(ATTACKS).length + 1, verify: [...new Set(codes)] };
    },
  },
];
