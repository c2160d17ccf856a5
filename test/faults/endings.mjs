/** A target or a read-model server that dies, and an end that is asked for (promises P1, P4, P6). */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { allEnded, allOnRecord, noRoles, readLog, recovered, verifies } from './checks.mjs';
import { startLoad } from './load.mjs';
import { connect, eventually, readiness, startWorld } from './world.mjs';

const UNDER_LOAD_MS = 800;

async function begin(context, options) {
  const world = await startWorld(options);
  context.worlds.push(world);
  await world.start();
  return world;
}

/** A backend that has gone by itself meanwhile is as good. */
function killed(pid) {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if (error.code !== 'ESRCH') throw error;
  }
}

export const endingScenarios = [
  {
    name: 'P1 P4: the target crashes under load: sessions end with that reason, and new ones work when it is back',
    async run(context) {
      const world = await context.shared();
      const load = startLoad(world, context.random, { tag: 'crash' });
      await load.underWay();
      const before = [...(await readLog(world.dataDir)).sessions.values()].filter(({ end }) => !end).length;
      // Backends die by SIGKILL: the server ends all the others and recovers by itself. Several, as one may be on its way out already.
      const { rows } = await world.target.query(
        "SELECT pid FROM pg_stat_activity WHERE usename LIKE 'sallyport%' ORDER BY backend_start DESC",
      );
      assert.ok(rows.length > 0, 'nobody was connected');
      for (const { pid } of rows) killed(pid);
      await sleep(UNDER_LOAD_MS);
      const stats = await load.stop();
      const client = await eventually(() => connect(world, 'agent-1'));
      await client.query("INSERT INTO effects (marker) VALUES ('m-crash.after-1-')");
      await client.end();
      await eventually(() => noRoles(world), 40_000);
      const { log, effects } = await eventually(async () => {
        const found = await allOnRecord(world, { seen: stats.seen });
        allEnded(found.log);
        return found;
      });
      const byTarget = [...log.sessions.values()].filter(({ end }) => end?.reason === 'target').length;
      assert.ok(byTarget > 0, 'no session ended with the reason target');
      await verifies(world);
      return { before, byTarget, effects, sent: stats.sent };
    },
  },
  {
    name: 'P6: the server of the read models dies: the record goes on or everything ends, and the next start has it all',
    async run(context) {
      const world = await begin(context);
      const load = startLoad(world, context.random, { tag: 'store', agents: 4 });
      await load.underWay();
      process.kill(storeServer(world.up.pid), 'SIGKILL');
      await sleep(UNDER_LOAD_MS);
      const stats = await load.stop();
      const ended = await Promise.race([world.up.exited, sleep(3000, undefined)]);
      if (ended) assert.equal(ended.code, 1, `it ended with ${JSON.stringify(ended)}`);
      else {
        await eventually(async () => assert.equal((await readiness(world)).status, 503, 'it says that it is ready'));
        await world.up.kill();
      }
      await world.start();
      return { ended: ended ?? 'went on', ...(await recovered(world, { seen: stats.seen })) };
    },
  },
  {
    name: 'P4: SIGTERM under load ends every session as shutdown, leaves no role, and exits 0',
    async run(context) {
      const world = await begin(context);
      const load = startLoad(world, context.random, { tag: 'term' });
      await load.underWay();
      const sleeper = await connect(world, 'agent-2');
      sleeper.query('SELECT pg_sleep(60)').catch(() => undefined);
      await eventually(async () => assert.equal((await sleepers(world)).length, 1), 5000, 50);
      const begun = Date.now();
      process.kill(world.up.pid, 'SIGTERM');
      const ended = await Promise.race([world.up.exited, sleep(30_000, 'still running after 30 s')]);
      const stats = await load.stop();
      assert.deepEqual(ended, { code: 0, signal: null });
      assert.deepEqual(await sleepers(world), []);
      await eventually(() => noRoles(world), 5000);
      const { log, effects } = await allOnRecord(world, { seen: stats.seen });
      assert.equal(allEnded(log), 0, 'a drained session is closed, not aborted');
      await verifies(world);
      return { drainedMs: Date.now() - begun, effects, sent: stats.sent };
    },
  },
];

/** The first process of the embedded server of the read models: the one child of Sallyport's that is a server. */
function storeServer(parent) {
  const lines = execFileSync('ps', ['-A', '-o', 'pid=,ppid=,args='], { encoding: 'utf8' }).split('\n');
  const servers = lines.map((line) => /^\s*(\d+)\s+(\d+)\s+(\S*postgres) -D/.exec(line)).filter((found) => Number(found?.[2]) === parent);
  assert.equal(servers.length, 1, 'the server of the read models was not found');
  return Number(servers[0][1]);
}

async function sleepers(world) {
  const { rows } = await world.target.query(
    "SELECT pid FROM pg_stat_activity WHERE query LIKE '%pg_sleep(60)%' AND usename LIKE 'sallyport%'",
  );
  return rows;
}
