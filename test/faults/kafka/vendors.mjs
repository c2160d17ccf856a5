/** The vendor dies when the role is there and nobody has been told of it (promise P4). */
import assert from 'node:assert/strict';
import pg from 'pg';
import { BRIEF, connect, eventually, failureOf } from './world.mjs';

const EDGE = 'edge/e1';

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

/** The edge dies with the vendors: nobody ends the session, and the credential is swept when its time is over. Or it lives, and ends it. */
const OTHERS = {
  async 'edge dead too'(world, attempt) {
    await world.fleet.service(EDGE).kill();
    await attempt;
    await world.fleet.start('vendor');
  },
  async 'edge alive'(world, attempt) {
    await attempt;
    await world.fleet.start('vendor');
  },
};

async function once(world, admin, others) {
  const attempt = failureOf(connect(world, 'agent-1', { edge: EDGE, resource: BRIEF }).then((client) => client.end()));
  const role = await killAtRole(world, admin);
  await OTHERS[others](world, attempt);
  const begun = Date.now();
  const failure = await attempt;
  await eventually(
    async () => assert.equal((await admin.query('SELECT 1 FROM pg_roles WHERE rolname = $1', [role])).rowCount, 0),
    60_000,
    100,
  );
  const goneMs = Date.now() - begun;
  const lease = await eventually(async () => {
    await world.log.read();
    const one = [...world.log.leases.values()].find(({ login }) => login === role);
    assert.ok(one?.issued && one.ends.length > 0, `the end of ${role} is not on record: ${JSON.stringify(one)}`);
    return one;
  });
  await world.fleet.start('edge');
  if (!failure) return undefined;
  if (others === 'edge dead too') assert.deepEqual(lease.ends, ['lease.swept']);
  return { others, goneMs, ends: lease.ends, refusedWith: failure.code ?? failure.message };
}

export const vendorScenarios = [
  {
    name: 'P4: the vendor killed between CREATE ROLE and its answer: the role is swept, and on record as swept',
    async run({ world, rounds }) {
      const admin = new pg.Client({ connectionString: world.target.url() });
      await admin.connect();
      const found = [];
      let missed = 0;
      try {
        while (found.length < rounds) {
          const one = await once(world, admin, Object.keys(OTHERS)[found.length % 2]);
          if (one) found.push(one);
          else missed++;
          assert.ok(missed < TRIES * rounds, `the moment was missed ${missed} times`);
        }
      } finally {
        await admin.end();
      }
      return { found, missed };
    },
  },
];
