/** P10: revocation ends what lives and what runs; a session never outlives its token or its approval window. */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { readLog } from './checks.mjs';
import { APPROVER, connect, console_, eventually, HELD, REVOKED, startWorld } from './world.mjs';

const PROMISED_MS = 1000;
/** What a busy machine may add to a second. */
const NOISE_MS = 2000;

async function running(world) {
  const { rows } = await world.target.query(
    "SELECT pid FROM pg_stat_activity WHERE state = 'active' AND query LIKE '%pg_sleep(60)%' AND usename LIKE 'sallyport%'",
  );
  return rows.length;
}

/** A session that sleeps at the target, and what becomes of it. */
async function sleeping(world, subject) {
  const client = await connect(world, subject);
  const { rows } = await client.query("SELECT 'x' AS x");
  assert.equal(rows.length, 1);
  const refused = client.query('SELECT pg_sleep(60)').then(
    () => undefined,
    (error) => error,
  );
  await eventually(async () => assert.ok((await running(world)) > 0, 'nothing sleeps at the target'), 5000, 20);
  return { client, refused };
}

async function openSession(world, subject) {
  return eventually(async () => {
    const { body } = await console_(world, 'GET', `sessions?state=open&principal=${subject}`);
    assert.equal(body.items.length, 1, `sessions that are open: ${JSON.stringify(body.items)}`);
    return body.items[0].id;
  });
}

async function endsWithin(world, { refused, client }, since) {
  await Promise.race([client.ended, sleep(10_000)]);
  const error = await Promise.race([refused, sleep(10_000, 'it still runs')]);
  const tookMs = Date.now() - since;
  assert.notEqual(error, 'it still runs');
  assert.ok(tookMs < PROMISED_MS + NOISE_MS, `it took ${tookMs} ms`);
  await eventually(async () => assert.equal(await running(world), 0, 'it still runs at the target'), 3000, 50);
  return { tookMs, error };
}

async function endOf(world, id) {
  return eventually(async () => {
    const { end } = (await readLog(world.dataDir)).sessions.get(id);
    assert.ok(end);
    return end;
  });
}

async function begin(context, options) {
  const world = await startWorld(options);
  context.worlds.push(world);
  await world.start();
  return world;
}

export const revocationScenarios = [
  {
    name: 'P10: revoking a session or a principal ends what lives within a second and cancels what runs at the target',
    async run(context) {
      const world = await context.shared();
      const one = await sleeping(world, REVOKED);
      const other = await connect(world, 'agent-2');
      const id = await openSession(world, REVOKED);
      let since = Date.now();
      assert.equal((await console_(world, 'POST', `sessions/${id}/revoke`, { body: { reason: 'test' } })).status, 202);
      const session = await endsWithin(world, one, since);
      assert.equal(session.error.code, '57P01');
      assert.equal((await endOf(world, id)).reason, 'revoked');
      // Nobody else's.
      assert.equal((await other.query('SELECT 1 AS one')).rows[0].one, 1);

      const again = await sleeping(world, REVOKED);
      const second = await connect(world, REVOKED);
      since = Date.now();
      assert.equal((await console_(world, 'POST', `principals/${REVOKED}/revoke`, { body: { reason: 'test' } })).status, 202);
      const principal = await endsWithin(world, again, since);
      await Promise.race([second.ended, sleep(5000).then(() => Promise.reject(new Error('the second session of the principal lives on')))]);
      assert.equal((await other.query('SELECT 1 AS one')).rows[0].one, 1);
      await other.end();
      // The token that it had opens nothing any more.
      const back = await connect(world, REVOKED).then(
        () => undefined,
        (error) => error,
      );
      assert.equal(back?.code, '28P01', back?.message);
      return { sessionMs: session.tookMs, principalMs: principal.tookMs };
    },
  },
  {
    name: 'P10: a session ends with its token, and what runs is cancelled',
    async run(context) {
      const world = await begin(context, {
        extra: { identity: { dev: { tokenTtl: '12s', principals: [{ subject: 'agent-1', kind: 'workload', groups: [] }] } } },
      });
      const one = await sleeping(world, 'agent-1');
      const claims = JSON.parse(Buffer.from(world.up.tokens['agent-1'].split('.')[1], 'base64url').toString());
      const id = await openSession(world, 'agent-1');
      await sleep(claims.exp * 1000 - Date.now());
      const { tookMs, error } = await endsWithin(world, one, claims.exp * 1000);
      assert.equal(error.code, '57P01');
      assert.equal((await endOf(world, id)).reason, 'expired');
      return { afterExpiryMs: tookMs };
    },
  },
  {
    name: 'P10: a held write runs once when it is approved, and the end of its window ends the session',
    async run(context) {
      const world = await context.shared();
      const client = await connect(world, HELD);
      const held = client.query("INSERT INTO effects (marker) VALUES ('m-window-1-')");
      const hold = await eventually(async () => {
        const { body } = await console_(world, 'GET', 'approvals?state=waiting');
        assert.equal(body.items.length, 1);
        return body.items[0];
      });
      const count = async () => (await world.target.query("SELECT 1 FROM effects WHERE marker LIKE 'm-window-%'")).rowCount;
      assert.equal(await count(), 0, 'it ran before it was approved');
      const granted = await console_(world, 'POST', `approvals/${hold.id}/grant`, { token: world.up.tokens[APPROVER], body: {} });
      assert.equal(granted.status, 200, JSON.stringify(granted.body));
      const at = Date.now();
      assert.equal((await held).rowCount, 1);
      assert.equal(await count(), 1);
      await Promise.race([client.ended, sleep(10_000).then(() => Promise.reject(new Error('the session outlives its window')))]);
      const livedMs = Date.now() - at;
      assert.ok(livedMs > 2000, `it ended after ${livedMs} ms already`);
      assert.equal((await endOf(world, hold.session)).reason, 'expired');
      assert.equal(await count(), 1);
      return { livedMs };
    },
  },
];
