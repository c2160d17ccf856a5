/** The brokers away, killed, and saying everything twice (promises P1, P6, P7). */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { TOPICS } from '@sallyport/bus';
import { startLoad, summary } from './load.mjs';
import { BUFFERED, BUS_MAX_LAG_MS, readiness, REPLICATED, STRICT } from './world.mjs';

const AWAY_MS = { short: 10_000, long: 60_000 };
/** Beyond the limit: a read of the clock, a busy machine. */
const NOISE_MS = 2000;
const AGAIN_RECORDS = 200;

/** Sessions that were open before go on all through it: a new one needs a credential, and that is on the bus too. */
const ENDLESS = { operations: Infinity, pauseMs: 20 };

export const brokerScenarios = [
  {
    name: 'P1: Kafka stopped: a buffered resource goes on, a strict one refuses within its limit and resumes by itself',
    async run(context) {
      const { world, random, tag, isLong } = context;
      const awayMs = isLong ? AWAY_MS.long : AWAY_MS.short;
      const loads = Object.fromEntries(
        [STRICT, BUFFERED, REPLICATED].map((resource, n) => [
          resource,
          startLoad(world, random.fork(), { ...ENDLESS, clients: n === 2 ? 2 : 3, tag: `${tag}${n}`, resources: [resource] }),
        ]),
      );
      await Promise.all(Object.values(loads).map((load) => load.underWay()));
      await world.fleet.kafka.halt();
      const from = Date.now();
      await sleep(BUS_MAX_LAG_MS + NOISE_MS);
      const late = Date.now();
      const states = await Promise.all(world.fleet.of('edge').map(readiness));
      await sleep(Math.max(0, from + awayMs - Date.now()));
      const until = Date.now();
      await world.fleet.kafka.start();
      const up = Date.now();
      const resumedMs = {};
      await Promise.all(
        Object.entries(loads).map(async ([resource, load]) => {
          await load.underWay(24, 60_000);
          resumedMs[resource] = Date.now() - up;
        }),
      );
      const stats = {};
      for (const [resource, load] of Object.entries(loads)) stats[resource] = await load.stop();

      const during = (resource, since = from) =>
        [...world.ledger.acknowledged.values()].filter((one) => one.resource === resource && one.timeMs > since && one.timeMs < until)
          .length;
      const refusedFor = (resource, code) =>
        stats[resource].errors.filter((error) => error.code === code && error.at === 'operation').length;
      assert.ok(during(BUFFERED, late) > 0, 'the buffered resource did not go on');
      assert.equal(during(STRICT, late), 0, 'the strict resource went on behind its limit');
      assert.equal(during(REPLICATED, from + NOISE_MS), 0, 'what must be replicated was acknowledged without the bus');
      assert.ok(refusedFor(STRICT, '53100') > 0 && refusedFor(REPLICATED, '53100') > 0, 'nothing was refused');
      for (const [resource, { errors }] of Object.entries(stats)) {
        // A read that was at the target already when the bus went ends its session: its answer can't be shown, and its client tries to be back.
        const back = ({ code, at }) => resource === REPLICATED && at === 'sign-in' && code === '57P03';
        const others = errors.filter((error) => !(error.code === '53100' && resource !== BUFFERED) && !back(error));
        assert.deepEqual(others.slice(0, 3), [], `${resource}: ${others.length} errors of another kind`);
      }
      for (const { status, text } of states) assert.ok(status === 503 && /strict/.test(text), `it says that it is ready: ${text}`);
      return {
        awayMs: until - from,
        resumedMs,
        buffered: during(BUFFERED),
        strictBeforeLimit: during(STRICT),
        refused: refusedFor(STRICT, '53100') + refusedFor(REPLICATED, '53100'),
      };
    },
  },
  {
    name: 'P1 P6: Kafka killed with -9 under load: nothing missing, nothing twice under another number',
    async run({ world, random, tag, rounds }) {
      const again = world.log.again;
      const totals = { sent: 0, acknowledged: 0, sessions: 0, errors: [] };
      for (let n = 1; n <= rounds; n++) {
        const load = startLoad(world, random.fork(), { tag: `${tag}r${n}`, resources: [STRICT, BUFFERED, REPLICATED] });
        await load.underWay();
        await sleep(random.between(0, 500));
        await world.fleet.kafka.kill();
        await world.fleet.kafka.start();
        await load.underWay(24, 60_000);
        const stats = await load.stop();
        for (const name of ['sent', 'acknowledged', 'sessions']) totals[name] += stats[name];
        totals.errors.push(...stats.errors);
      }
      await world.log.read();
      return { rounds, ...summary(totals), againOnLog: world.log.again - again };
    },
  },
  {
    name: 'P6 P7: the last records of the session log sent once more are folded away',
    async run({ world }) {
      const { bus, log } = world;
      await log.read();
      const { sessions, again } = log;
      let sent = 0;
      for (const { partition, next } of await bus.ends(TOPICS.sessions)) {
        const from = next > BigInt(AGAIN_RECORDS) ? next - BigInt(AGAIN_RECORDS) : 0n;
        const records = next === 0n ? [] : await bus.read(TOPICS.sessions, partition, from, AGAIN_RECORDS);
        if (records.length === 0) continue;
        // As a producer does whose answer was lost: all of it, in its order.
        await bus.produce(
          TOPICS.sessions,
          records.map(({ key, value, headers, timestampMs }) => ({ key, value, headers, timestampMs, partition })),
        );
        sent += records.length;
      }
      await log.read();
      assert.ok(sent > 0);
      assert.equal(log.again - again, sent);
      assert.equal(log.sessions.size, sessions.size);
      return { sentAgain: sent };
    },
  },
];
