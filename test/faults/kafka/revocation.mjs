/** One event, and every session of a principal ends, on every edge (promise P10). */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect, console_, eventually, failureOf } from './world.mjs';

const PROMISED_MS = 1000;
/** Of a busy machine: fifty clients, the edges and the brokers on two cores. */
const NOISE_MS = 1000;
const MANY = 50;

/** Somebody who was never revoked before. */
function somebody(world) {
  world.revoked = (world.revoked ?? 0) + 1;
  return `agent-revoked-${world.revoked}`;
}

/** Opens sessions on the edges in turn, revokes their principal, and says how long it took until the last one ended. */
export async function endsRevoked({ world }, { sessions, edges = world.fleet.of('edge').map(({ key }) => key) }) {
  const subject = somebody(world);
  await world.token(subject, { fresh: true });
  const clients = [];
  for (let n = 0; n < sessions; n += 10) {
    const some = Array.from({ length: Math.min(10, sessions - n) }, (_, m) =>
      connect(world, subject, { edge: edges[(n + m) % edges.length] }),
    );
    clients.push(...(await Promise.all(some)));
  }
  const bystander = await connect(world, 'agent-2');
  let last = 0;
  const codes = new Set();
  const ended = clients.map((client) =>
    client.ended.then((error) => {
      last = Date.now();
      codes.add(error?.code);
    }),
  );
  const since = Date.now();
  const { status, body } = await console_(world, 'POST', `principals/${subject}/revoke`, { body: { reason: 'test' } });
  assert.equal(status, 202, JSON.stringify(body));
  const answeredMs = Date.now() - since;
  await Promise.race([Promise.all(ended), sleep(15_000).then(() => Promise.reject(new Error('sessions live on after 15 s')))]);
  const endedMs = last - since;
  assert.ok(endedMs < PROMISED_MS + NOISE_MS, `the last of ${sessions} sessions ended after ${endedMs} ms`);
  assert.deepEqual([...codes], ['57P01']);
  // Nobody else's; and its token opens nothing any more, anywhere.
  await bystander.query('SELECT 1');
  await bystander.end();
  for (const edge of edges) assert.equal((await failureOf(connect(world, subject, { edge })))?.code, '28P01', `${edge} lets it in again`);
  return { subject, sessions, answeredMs, endedMs, body };
}

/** Who has confirmed it, as the console and the command line tell it: edge → state. */
async function confirmations(world, id) {
  const { status, body } = await console_(world, 'GET', `revocations/${id}`);
  assert.equal(status, 200, JSON.stringify(body));
  const { stdout } = await world.fleet.sallyport(['revocations', 'list', '--format', 'json'], { anyCode: false });
  const listed = JSON.parse(stdout).find((one) => one.id === id);
  const states = ({ edges }) => Object.fromEntries(edges.map(({ edge, state }) => [`edge/${edge.replace(/^edge\//, '')}`, state]));
  assert.deepEqual(states(listed), states(body), 'console and command line tell different things');
  assert.equal(
    listed.confirmed,
    Object.values(states(body)).every((state) => state === 'confirmed'),
  );
  return states(body);
}

async function confirmedBy(world, id, expected) {
  await eventually(async () => assert.deepEqual(await confirmations(world, id), expected), 30_000, 500);
}

const AWAY = { stopped: (edge) => edge.stop(), killed: (edge) => edge.kill() };

export const revocationScenarios = [
  {
    name: `P10: revoking a principal with ${MANY} live sessions on two edges ends all within a second, and both confirm it`,
    async run(context) {
      const { world, rounds } = context;
      const found = [];
      for (let n = 0; n < Math.min(rounds, 5); n++) {
        const { body, ...times } = await endsRevoked(context, { sessions: MANY });
        const since = Date.now();
        await confirmedBy(world, body.revocation, { 'edge/e1': 'confirmed', 'edge/e2': 'confirmed' });
        found.push({ ...times, shownMs: Date.now() - since });
      }
      return { found };
    },
  },
  ...Object.entries(AWAY).map(([how, away]) => ({
    name: `P10: a revocation while one edge is ${how} is shown as unconfirmed there, and that edge refuses on its return`,
    async run(context) {
      const { world } = context;
      const edge = world.fleet.service('edge/e2');
      const subject = somebody(world);
      await world.token(subject, { fresh: true });
      const left = await connect(world, subject, { edge: edge.key });
      await away(edge);
      await left.ended;
      const here = await connect(world, subject, { edge: 'edge/e1' });
      const { status, body } = await console_(world, 'POST', `principals/${subject}/revoke`, { body: { reason: 'test' } });
      assert.equal(status, 202, JSON.stringify(body));
      await here.ended;
      await confirmedBy(world, body.revocation, { 'edge/e1': 'confirmed', 'edge/e2': 'unconfirmed' });
      await edge.start();
      assert.equal((await failureOf(connect(world, subject, { edge: edge.key })))?.code, '28P01', 'it lets the revoked one in');
      await confirmedBy(world, body.revocation, { 'edge/e1': 'confirmed', 'edge/e2': 'confirmed' });
      return { subject };
    },
  })),
];
