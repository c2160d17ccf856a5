/** Everything is restarted, one after the other, and agents notice only the edge that they are on (promises P1, P4, P9). */
import assert from 'node:assert/strict';
import { startLoad, summary } from './load.mjs';
import { BUFFERED, REPLICATED, STRICT } from './world.mjs';

/** A client that was told to go may be told so a moment after the process has ended. */
const LATE_MS = 1000;
/** What a client sees of an edge that stops: the end of its session in PostgreSQL's words, or of its connection. */
const ENDS = /^(57P01|57P03|ECONNREFUSED|ECONNRESET|EPIPE|ended|Connection terminated.*|Client has encountered a connection error.*)$/;

export const rollingScenarios = [
  {
    name: 'P4 P9: a rolling restart of everything under load: SIGTERM drains, and only what was in flight on a stopped edge is lost',
    async run({ world, random, tag, rounds }) {
      const load = startLoad(world, random, { tag, resources: [STRICT, STRICT, BUFFERED, REPLICATED] });
      await load.underWay();
      const windows = [];
      const drains = {};
      const order = ['decision', 'vendor', 'projector', 'console', 'edge'];
      for (let n = 0; n < rounds; n++) {
        for (const service of order.flatMap((role) => world.fleet.of(role))) {
          const window = { key: service.key, from: Date.now() };
          windows.push(window);
          const { code, signal } = await service.stop();
          drains[service.key] = Date.now() - window.from;
          assert.deepEqual({ code, signal }, { code: 0, signal: null }, `${service.key} did not drain\n${service.output().slice(-2000)}`);
          await service.start();
          window.until = Date.now() + LATE_MS;
          await load.underWay(12);
        }
      }
      const stats = await load.stop();
      const excused = ({ edge, code, timeMs }) =>
        ENDS.test(code) && windows.some(({ key, from, until }) => key === edge && timeMs >= from && timeMs <= until);
      const rest = stats.errors.filter((error) => !excused(error));
      const during = ({ timeMs }) => windows.find(({ from, until }) => timeMs >= from && timeMs <= until)?.key ?? 'nothing';
      assert.deepEqual(
        rest.slice(0, 5).map((error) => ({ ...error, during: during(error) })),
        [],
        `${rest.length} of ${stats.errors.length} errors are not of sessions on the stopped edge`,
      );
      return { restarts: windows.length, drains, ...summary(stats) };
    },
  },
];
