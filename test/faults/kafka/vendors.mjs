/** The vendor dies when the role is there and nobody has been told of it (promise P4). */
import assert from 'node:assert/strict';
import pg from 'pg';
import { connect, eventually, failureOf } from './world.mjs';

/** The moment is some milliseconds long: it is missed now and then. */
const TRIES = 15;
const WATCH_MAX_MS = 15_000;

/** Ends the vendors as soon as a session's role is to be seen. Resolves with its name. */
async function killAtRole(world, admin) {
  const vendors = world.fleet.of('vendor');
  const pids = vendors.map(({ pid }) => pid);
  for (const until = Date.now() + WATCH_MAX_MS; Date.now() < until;) {
    const { rows } = await admin.query(String.raw`SELECT rolname FROM pg_roles WHERE rolname LIKE 'sallyport\_%'`);
    if (rows.length === 0) continue;
    for (const pid of pids) process.kill(pid, 'SIGKILL');
    await Promise.all(vendors.map((vendor) => vendor.kill()));
    return rows[0].rolname;
  }
  throw new Error('no role was made');
}

export const vendorScenarios = [
  {
    name: 'P4: the vendor killed between CREATE ROLE and its answer: the role is swept, and on record as swept',
    async run({ world, rounds }) {
      const admin = new pg.Client({ connectionString: world.target.url() });
      await admin.connect();
      const found = { rounds: 0, missed: 0, sweptMs: [], refusedWith: new Set() };
      try {
        for (let tries = 0; found.rounds < rounds; tries++) {
          assert.ok(tries < TRIES * rounds, `the moment was missed ${found.missed} times`);
          const attempt = failureOf(connect(world, 'agent-1').then((client) => client.end()));
          const role = await killAtRole(world, admin);
          const failure = await attempt;
          const begun = Date.now();
          await world.fleet.start('vendor');
          await eventually(
            async () => assert.deepEqual((await admin.query('SELECT 1 FROM pg_roles WHERE rolname = $1', [role])).rowCount, 0),
            45_000,
            50,
          );
          if (!failure) {
            found.missed++;
            continue;
          }
          found.sweptMs.push(Date.now() - begun);
          found.refusedWith.add(failure.code ?? failure.message);
          const lease = await eventually(async () => {
            await world.log.read();
            const one = [...world.log.leases.values()].find(({ login }) => login === role);
            assert.ok(one?.ends.length > 0, `the end of ${role} is not on record: ${JSON.stringify(one)}`);
            return one;
          });
          // Whoever ends it first: the sweep, or the end of its session.
          assert.ok(lease.issued);
          found.ends = [...(found.ends ?? []), ...lease.ends];
          found.rounds++;
        }
      } finally {
        await admin.end();
      }
      return { ...found, refusedWith: [...found.refusedWith] };
    },
  },
];
