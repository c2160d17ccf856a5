/** The network between one edge and each of its peers, made bad while the other edge's is well (promises P1, P2, P9). */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { startTcpProxy } from '../../harness/tcp-proxy.mjs';
import { startLoad, summary } from './load.mjs';
import { connect, eventually, failureOf, PROXIED_EDGE, readiness } from './world.mjs';

const GOOD_EDGE = 'edge/e1';
const BAD_MS = { short: 1500, long: 8000 };
const DELAY_MS = 150;
const BYTES_PER_SECOND = 20_000;
/** Behind limits.keysMaxAge of the fleet. */
const KEYS_GONE_MS = 5000;

const FAULTS = {
  cut: (network) => network.cut(),
  'half-closed': (network, random) => network.halfClose(random.pick(['up', 'down'])),
  stalled: (network) => network.stall(),
  delayed: (network) => network.delay(DELAY_MS),
  slow: (network) => network.throttle(BYTES_PER_SECOND),
};

async function oneFault({ world, random, tag, isLong }, network, fault) {
  const bad = startLoad(world, random.fork(), { tag: `${tag}b`, clients: 4, edges: [PROXIED_EDGE], operations: 8 });
  const good = startLoad(world, random.fork(), { tag: `${tag}g`, clients: 4, edges: [GOOD_EDGE], operations: 8 });
  await Promise.all([bad.underWay(8), good.underWay(8)]);
  FAULTS[fault](network, random);
  await sleep(isLong ? BAD_MS.long : BAD_MS.short);
  await good.underWay(8);
  network.pass();
  const healed = Date.now();
  await bad.underWay(8, 60_000);
  const healedMs = Date.now() - healed;
  if (fault === 'cut' && network === world.networks.issuer) await nobodyWithoutKeys(world, network);
  const [badStats, goodStats] = [await bad.stop(), await good.stop()];
  assert.deepEqual(goodStats.errors.slice(0, 3), [], `${goodStats.errors.length} errors at the edge whose network is well`);
  await eventually(async () => assert.equal((await readiness(world.fleet.service(PROXIED_EDGE))).status, 200));
  return { healedMs, bad: summary(badStats) };
}

/** Keys that are too old are no keys: whoever is new waits outside until the issuer can be asked. */
async function nobodyWithoutKeys(world, network) {
  network.cut();
  await sleep(KEYS_GONE_MS);
  await world.token('agent-3', { fresh: true });
  assert.equal(
    (await failureOf(connect(world, 'agent-3', { edge: PROXIED_EDGE })))?.code,
    '28P01',
    'it signed in by keys that are too old',
  );
  network.pass();
  const client = await eventually(() => connect(world, 'agent-3', { edge: PROXIED_EDGE }));
  await client.end();
}

function peer(name, what) {
  return {
    name: `P1 P9: the network between an edge and ${what} cut, half-closed, stalled, delayed and slow`,
    async run(context) {
      const found = {};
      for (const fault of Object.keys(FAULTS))
        found[fault] = await oneFault({ ...context, tag: `${context.tag}${fault[0]}${fault.length}` }, context.world.networks[name], fault);
      return found;
    },
  };
}

/** An agent's own network: whatever it does, its session ends, and nobody else's. */
const agents = {
  name: 'P1 P9: the network between an agent and the edge cut, half-closed, stalled, delayed and slow',
  async run({ world, random, tag }) {
    const found = {};
    for (const fault of Object.keys(FAULTS)) {
      const [, port] = world.fleet.service(GOOD_EDGE).listeners.postgres.split(':');
      const network = await startTcpProxy({ to: () => ({ port: Number(port) }) });
      try {
        const other = await connect(world, 'agent-2', { edge: GOOD_EDGE });
        const client = await connect(world, 'agent-1', { port: network.port });
        const mark = (n) => `m-${tag}${fault}-${n}-`;
        await client.query(`INSERT INTO effects (marker) VALUES ('${mark(1)}')`);
        // A long answer, and one behind it that is not read.
        const answers = Promise.allSettled([
          client.query(`SELECT '${mark(2)}', repeat('x', 200) FROM generate_series(1, 2000)`),
          client.query(`INSERT INTO effects (marker) VALUES ('${mark(3)}')`),
        ]);
        FAULTS[fault](network, random);
        await sleep(500);
        await other.query(`INSERT INTO effects (marker) VALUES ('${mark(4)}')`);
        network.pass();
        await Promise.race([answers, client.ended, sleep(20_000)]);
        const outcome = (await Promise.race([answers, sleep(0)]))?.map(({ status }) => status);
        await Promise.race([client.end().catch(() => undefined), client.ended, sleep(2000)]);
        await other.end();
        const { rows } = await world.target.query('SELECT marker FROM effects WHERE marker LIKE $1', [`m-${tag}${fault}-%`]);
        found[fault] = { outcome, effects: rows.length };
      } finally {
        await network.close();
      }
    }
    return found;
  },
};

export const networkScenarios = [agents, peer('target', 'the target'), peer('kafka', 'Kafka'), peer('issuer', 'the issuer')];
