/** What must hold after every scenario on Kafka. Each check looks at the log, the target or the read models themselves. */
import assert from 'node:assert/strict';
import pg from 'pg';
import { equalAfterRebuild, noRoles, projectorsCaughtUp } from '../shared-checks.mjs';
import { MARKER } from './log.mjs';
import { console_, eventually } from './world.mjs';

export { noRoles };

const SHOWN = 5;
/** A killed edge's sessions are closed by its next start; a killed vendor's roles go by the next sweep. */
const SETTLE_TIMEOUT_MS = 60_000;

/** All of them, when nobody is at work any more. Returns the figures. */
export async function settled(world) {
  const begun = Date.now();
  const log = await eventually(async () => everySessionEnded(await world.log.read()), SETTLE_TIMEOUT_MS);
  const effects = await everythingOnRecord(world, log);
  const leases = await eventually(async () => everyLeaseEnded(await world.log.read()), SETTLE_TIMEOUT_MS);
  await eventually(() => noRoles(world), SETTLE_TIMEOUT_MS);
  const verified = await eventually(() => verifies(world), SETTLE_TIMEOUT_MS, 1000);
  const rows = await rebuildsEqual(world);
  return {
    events: log.events,
    again: log.again,
    sessions: log.sessions.size,
    aborted: [...log.sessions.values()].filter(({ end }) => end.type === 'session.aborted').length,
    acknowledged: world.ledger.acknowledged.size,
    refused: world.ledger.refused.size,
    unknown: world.ledger.unknown.size,
    effects,
    swept: leases.swept,
    checkpoints: verified.checkpoints,
    rows,
    checkedMs: Date.now() - begun,
  };
}

/** Exactly one closing event each; a closed session has completed all, an aborted one names what was submitted and never completed. */
export function everySessionEnded(log) {
  const open = [...log.sessions.values()].filter(({ end }) => !end);
  assert.deepEqual(
    open.slice(0, SHOWN).map(({ id, source, subject }) => ({ id, source, subject })),
    [],
    `${open.length} sessions have no end`,
  );
  for (const { id, end, unfinished, operations } of log.sessions.values()) {
    const left = [...unfinished].filter((number) => operations.get(number).decision !== 'deny');
    // An end that was orderly leaves nothing open.
    const named = end.type === 'session.aborted' ? end.unfinished : [];
    assert.deepEqual(
      [...named].sort((a, b) => a - b),
      left.sort((a, b) => a - b),
      `${id} (${end.type}, ${end.reason}) has other operations unfinished than it says`,
    );
  }
  return log;
}

/** P1: what was acknowledged, and what had an effect, was asked for on the log before; what was refused did nothing; nothing happened twice. */
export async function everythingOnRecord(world, log) {
  const { ledger, target } = world;
  const { rows } = await target.query('SELECT marker, count(*)::int AS count FROM effects GROUP BY marker');
  const effects = new Map(rows.map(({ marker, count }) => [marker, count]));
  const wrong = [];
  for (const [marker, { kind, effects: expected, timeMs }] of ledger.acknowledged) {
    const entry = log.markers.get(marker);
    if (!entry) wrong.push(`${marker} (${kind}) was acknowledged at ${new Date(timeMs).toISOString()} and is not on the log`);
    else if (entry.completed !== undefined && entry.completed <= entry.submitted)
      wrong.push(`${marker} was completed before it was submitted`);
    if ((effects.get(marker) ?? 0) !== expected) wrong.push(`${marker} (${kind}) has ${effects.get(marker) ?? 0} effects, not ${expected}`);
  }
  for (const [marker, count] of effects) {
    if (!marker.match(MARKER)) continue;
    if (!log.markers.has(marker)) wrong.push(`${marker} had an effect and is not on the log`);
    if (ledger.refused.has(marker)) wrong.push(`${marker} was refused (${ledger.refused.get(marker)}) and had an effect`);
    if (count > 2) wrong.push(`${marker} had ${count} effects`);
  }
  assert.deepEqual(wrong.slice(0, SHOWN), [], `${wrong.length} markers are not as they should be`);
  return effects.size;
}

/** P4: each credential that was issued is dropped or swept, and says so once. */
export function everyLeaseEnded(log) {
  const all = [...log.leases.values()];
  const live = all.filter(({ ends }) => ends.length === 0);
  assert.deepEqual(
    live.slice(0, SHOWN).map(({ id, session, by }) => ({ id, session, by })),
    [],
    `${live.length} leases have no end on record`,
  );
  const unissued = all.filter(({ issued }) => !issued);
  assert.deepEqual(unissued.slice(0, SHOWN), [], `${unissued.length} leases ended that were never issued`);
  return { swept: all.filter(({ ends }) => ends.includes('lease.swept')).length };
}

/** P6: both verdicts of `sallyport verify` on the topics as they are, with checkpoints that cover all of it. */
export async function verifies(world) {
  const { code, stdout, stderr } = await verify(world);
  assert.ok(stdout.startsWith('{'), `verify could not be made: ${code} ${stderr}`);
  const { reports, unsigned } = JSON.parse(stdout);
  const problems = [...reports, ...unsigned].flatMap(({ log, integrity, completeness }) =>
    [...integrity.problems, ...completeness.problems].map((problem) => ({ log, ...problem })),
  );
  // Of the streams without checkpoints only damage counts.
  const signed = new Set(reports.map(({ log }) => log));
  assert.deepEqual(problems.filter(({ log }) => signed.has(log)).slice(0, SHOWN), [], `verify found ${problems.length} problems`);
  assert.equal(code, 0, JSON.stringify(problems.slice(0, SHOWN)));
  assert.ok(reports.length > 0 && reports.every(({ integrity, completeness }) => integrity.ok && completeness.ok));
  const uncovered = reports.reduce((sum, report) => sum + report.uncovered, 0);
  assert.equal(uncovered, 0, `${uncovered} events are covered by no checkpoint`);
  return { checkpoints: reports.reduce((sum, { checkpoints }) => sum + checkpoints.count, 0) };
}

export function verify(world) {
  return world.fleet.sallyport(['verify', '--format', 'json']);
}

const asking = (world) => (method, path, given) => console_(world, method, path, given);

/** P7: read models that are made again from the log are equal, row by row. Nobody may be at work meanwhile. */
export function rebuildsEqual(world) {
  const timeouts = { caughtUpMs: SETTLE_TIMEOUT_MS, rebuiltMs: SETTLE_TIMEOUT_MS };
  return equalAfterRebuild(asking(world), () => readModel(world), timeouts);
}

/** The projectors have read all there is. */
export function caughtUp(world) {
  return projectorsCaughtUp(asking(world), SETTLE_TIMEOUT_MS);
}

/** Tables that hold what the log says. How far it was read and when is the projectors' own. */
const OWN = ['offsets', 'migrations', 'rebuilds'];

/** Every row of the live schema, as text, in an order of its own. */
export async function readModel(world, schema = 'sallyport') {
  const client = new pg.Client({ connectionString: world.fleet.store.url() });
  await client.connect();
  try {
    const { rows: tables } = await client.query(
      "SELECT table_name AS name FROM information_schema.tables WHERE table_schema = $1 AND table_type = 'BASE TABLE' AND table_name <> ALL($2) ORDER BY 1",
      [schema, OWN],
    );
    assert.ok(tables.length > 0, 'there is no read model');
    const model = {};
    for (const { name } of tables) {
      const { rows } = await client.query(`SELECT t::text AS row FROM "${schema}"."${name}" t ORDER BY 1`);
      model[name] = rows.map(({ row }) => row);
    }
    return model;
  } finally {
    await client.end();
  }
}
