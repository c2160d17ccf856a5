/** kill -9 at random points (promises P1, P4, P6, P7). */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { rebuildsEqual, recovered } from './checks.mjs';
import { startLoad } from './load.mjs';
import { connect, console_, eventually, HELD, startWorld } from './world.mjs';

const LOAD_MS = [0, 1500];
/** Rounds on one data directory: the log grows, and each round reads all of it. */
const ROUNDS_PER_WORLD = 5;

/** Where a kill strikes. Each returns when the moment has come. */
const MOMENTS = {
  /** Some of everything. */
  async load({ random }) {
    await sleep(random.between(...LOAD_MS));
  },
  /** Many sign-ins: sessions of one operation. */
  async 'sign-in'({ world, random, tag, loads }) {
    loads.push(startLoad(world, random.fork(), { agents: 8, operations: 1, tag: `${tag}s` }));
    await sleep(random.between(...LOAD_MS));
  },
  /** An operation waits for approval; another one has been approved. */
  async hold({ world, random, tag }) {
    const client = await connect(world, HELD);
    client.query(`INSERT INTO effects (marker) VALUES ('m-${tag}h-1-')`).catch(() => undefined);
    await eventually(async () => {
      const { body } = await console_(world, 'GET', 'approvals?state=waiting');
      assert.ok(
        body.items.some(({ session }) => session),
        'nothing waits',
      );
    });
    await sleep(random.between(0, 200));
  },
  /** All at once say goodbye. */
  async close({ random, loads }) {
    await sleep(random.between(...LOAD_MS));
    for (const load of loads) void load.stop();
    await sleep(random.between(0, 30));
  },
  /** The killed one is killed again while it starts, up to three times. */
  async recovery({ random }) {
    await sleep(random.between(...LOAD_MS));
    return random.between(1, 3);
  },
};

const ORDER = ['load', 'sign-in', 'hold', 'close', 'recovery'];

/** @returns one row per round: what was found, or why it failed. */
export async function* killRounds({ rounds, random }) {
  let world;
  try {
    for (let round = 1; round <= rounds; round++) {
      world ??= await startWorld();
      // In turn and not drawn, so that few rounds have them all.
      const moment = ORDER[(round - 1) % ORDER.length];
      const name = `P1 P4 P6: kill -9, round ${round} (${moment})`;
      try {
        yield { name, found: await oneRound(world, random, moment, `r${round}`) };
      } catch (error) {
        yield { name, error, output: world.up?.output() };
        await world.stop();
        world = undefined;
      }
      if (!world || (round % ROUNDS_PER_WORLD !== 0 && round !== rounds)) continue;
      const rebuild = `P7: read models made anew after kills are equal, round ${round}`;
      try {
        yield { name: rebuild, found: await rebuildsEqual(world) };
      } catch (error) {
        yield { name: rebuild, error, output: world.up?.output() };
      }
      await world.stop();
      world = undefined;
    }
  } finally {
    await world?.stop();
  }
}

async function oneRound(world, random, moment, tag) {
  if (!world.up) await world.start();
  const loads = [startLoad(world, random.fork(), { tag })];
  await loads[0].underWay();
  const again = await MOMENTS[moment]({ world, random, tag, loads });
  await world.up.kill();
  const stats = await Promise.all(loads.map((load) => load.stop()));
  for (let n = 0; n < (again ?? 0); n++) await world.startAndKill(random.between(200, 4000));
  await world.start();
  const seen = stats.flatMap((load) => [...load.seen]);
  const result = await recovered(world, { seen });
  const markerOfHold = await world.target.query("SELECT 1 FROM effects WHERE marker LIKE 'm-%h-%'");
  assert.equal(markerOfHold.rowCount, 0, 'a held operation ran without approval');
  return { ...result, sent: stats.reduce((sum, { sent }) => sum + sent, 0), refused: refusals(stats) };
}

function refusals(stats) {
  const all = new Map();
  for (const { refused } of stats) for (const [code, count] of refused) all.set(code, (all.get(code) ?? 0) + count);
  return Object.fromEntries(all);
}
