/** Clocks that are five minutes wrong, on one service after the other (promises P2, P4, P6, P10). */
import assert from 'node:assert/strict';
import { startLoad, summary } from './load.mjs';
import { endsRevoked } from './revocation.mjs';

const SKEW_MS = 5 * 60_000;

export const clockScenarios = ['edge', 'decision', 'vendor', 'projector', 'console'].map((role) => ({
  name: `P2 P4 P10: the clock of the ${role} is five minutes wrong: sessions open, operations run, revocation works`,
  async run(context) {
    const { world, random, tag, isLong } = context;
    const found = {};
    const signs = isLong ? [1, -1] : [random.pick([1, -1])];
    try {
      for (const sign of signs) {
        for (const service of world.fleet.of(role)) {
          await service.stop();
          await service.start({ clockMs: sign * SKEW_MS });
        }
        const load = startLoad(world, random.fork(), { tag: `${tag}${sign > 0 ? 'a' : 'b'}`, operations: 6 });
        await load.underWay(60);
        const stats = await load.stop();
        assert.deepEqual(stats.errors.slice(0, 3), [], `${stats.errors.length} errors for want of a clock`);
        found[sign > 0 ? 'ahead' : 'behind'] = { ...summary(stats), ...(await endsRevoked(context, { sessions: 4 })) };
      }
    } finally {
      for (const service of world.fleet.of(role)) {
        await service.stop();
        await service.start();
      }
    }
    return found;
  },
}));
