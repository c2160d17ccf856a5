/** kill -9 of one service at a random moment, under load (promises P1, P4, P6, P7, P9). */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { everySessionEnded, everythingOnRecord } from './checks.mjs';
import { startLoad, summary } from './load.mjs';
import { BUFFERED, eventually, REPLICATED, STRICT } from './world.mjs';

const BEFORE_MS = [0, 800];
const DEAD_MS = [0, 800];

/** What agents may notice of the death of one of two: `code` at a sign-in, in an operation, at the end of a session. */
const NOTICED = {
  // Only on the edge that died; and its sessions.
  edge: ({ edge }, victim) => edge === victim.key,
  // What was asked of it and not answered, until its partitions are another's: refused, never guessed.
  decision: ({ code, at }) => (at === 'operation' && code === '42501') || (at === 'sign-in' && code === '57P03'),
  // Live sessions don't need it.
  vendor: ({ code, at }) => at === 'sign-in' && code === '57P03',
  projector: () => false,
  console: () => false,
};

async function round({ world, random, tag }, role) {
  const victim = random.pick(world.fleet.of(role));
  const load = startLoad(world, random.fork(), { tag, resources: [STRICT, STRICT, BUFFERED, REPLICATED] });
  await load.underWay();
  await sleep(random.between(...BEFORE_MS));
  await victim.kill();
  await sleep(random.between(...DEAD_MS));
  await victim.start();
  await load.underWay();
  const stats = await load.stop();
  const surprises = stats.errors.filter((error) => !NOTICED[role](error, victim));
  assert.deepEqual(surprises.slice(0, 5), [], `${surprises.length} errors that the death of ${victim.key} does not excuse`);
  const log = await eventually(async () => everySessionEnded(await world.log.read()), 60_000);
  await everythingOnRecord(world, log);
  return stats;
}

export const killScenarios = Object.keys(NOTICED).map((role) => ({
  name: `P1 P4 P6 P7: kill -9 of the ${role} under load`,
  async run(context) {
    const totals = { sent: 0, acknowledged: 0, sessions: 0, errors: [] };
    for (let n = 1; n <= context.rounds; n++) {
      const stats = await round({ ...context, tag: `${context.tag}r${n}` }, role);
      for (const name of ['sent', 'acknowledged', 'sessions']) totals[name] += stats[name];
      totals.errors.push(...stats.errors);
    }
    return { rounds: context.rounds, ...summary(totals) };
  },
}));
