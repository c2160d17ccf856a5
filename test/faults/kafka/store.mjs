/** The database of the read models away while the log goes on (promises P6, P7). */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { caughtUp } from './checks.mjs';
import { startLoad, summary } from './load.mjs';
import { console_, eventually, readiness } from './world.mjs';

const AWAY_MS = { short: 6000, long: 60_000 };

/** Gone, as after a failover, and silent, as behind a firewall that drops. */
const WAYS = { gone: (network) => network.cut(), silent: (network) => network.stall() };

export const storeScenarios = Object.entries(WAYS).map(([way, away]) => ({
  name: `P7: the read models’ database ${way}: agents notice nothing, the projector says so, waits and catches up`,
  async run({ world, random, tag, isLong }) {
    const { store } = world.networks;
    const load = startLoad(world, random, { tag, pauseMs: 10 });
    await load.underWay();
    away(store);
    await sleep((isLong ? AWAY_MS.long : AWAY_MS.short) / 2);
    await load.underWay();
    const states = await Promise.all(world.fleet.of('projector').map(readiness));
    await sleep((isLong ? AWAY_MS.long : AWAY_MS.short) / 2);
    store.pass();
    const back = Date.now();
    await load.underWay();
    const stats = await load.stop();
    assert.deepEqual(stats.errors.slice(0, 3), [], `${stats.errors.length} errors that agents saw`);
    if (way === 'gone')
      assert.ok(
        states.some(({ status }) => status === 503),
        `every projector says that it is ready: ${JSON.stringify(states)}`,
      );
    await caughtUp(world);
    const caughtUpMs = Date.now() - back;
    await eventually(async () => assert.equal((await console_(world, 'GET', 'sessions?limit=1')).status, 200));
    for (const service of world.fleet.of('projector')) assert.equal((await readiness(service)).status, 200);
    return { caughtUpMs, states: states.map(({ text }) => text.slice(0, 200)), ...summary(stats) };
  },
}));
