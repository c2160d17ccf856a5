/** What must hold after a fault. Each check looks at the target, the log or the read models themselves, and throws with what it found otherwise. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { readEmbeddedTopic } from '@sallyport/adapter-embedded-bus';
import { TOPICS } from '@sallyport/bus';
import { runToEnd } from '../harness/index.mjs';
import { equalAfterRebuild, noRoles, projectorsCaughtUp } from './shared-checks.mjs';
import { console_, eventually } from './world.mjs';

export { noRoles };

const COMMAND = fileURLToPath(new URL('../../apps/sallyport/bin/sallyport.mjs', import.meta.url));
const MARKER = /m-[a-z0-9.]+-\d+-/g;
const SHOWN = 5;

/** The session log as it is on disk: who is open, what was asked, what is there twice. */
export async function readLog(dataDir) {
  const sessions = new Map();
  const markers = new Set();
  const hashes = new Map();
  let events = 0;
  let again = 0;
  for await (const found of readEmbeddedTopic(join(dataDir, 'bus'), TOPICS.sessions)) {
    if (found.kind === 'torn') continue;
    assert.equal(
      found.kind,
      'record',
      `the log is damaged: ${JSON.stringify(found, (_, value) => (typeof value === 'bigint' ? String(value) : value))}`,
    );
    const { value } = found.record;
    const event = JSON.parse(value.toString());
    const hash = createHash('sha256').update(value).digest('base64');
    events++;
    if (hashes.has(event.id)) {
      assert.equal(hashes.get(event.id), hash, `${event.id} is there twice with different bytes`);
      again++;
      continue;
    }
    hashes.set(event.id, hash);
    const { data } = event;
    let session = sessions.get(event.sessionid);
    if (!session)
      sessions.set(
        event.sessionid,
        (session = { id: event.sessionid, subject: event.subject, unfinished: new Set(), end: undefined, operations: [] }),
      );
    assert.equal(session.end, undefined, `${event.id} follows the end of its session`);
    if (event.type === 'operation.submitted') {
      if (data.verdict.decision !== 'deny')
        for (const marker of JSON.stringify([data.text, data.input.parameters]).match(MARKER) ?? []) markers.add(marker);
      session.unfinished.add(data.operation);
      session.operations.push(data);
    }
    if (event.type === 'operation.completed') session.unfinished.delete(data.operation);
    if (event.type === 'session.closed' || event.type === 'session.aborted') session.end = { type: event.type, ...data };
  }
  return { sessions, markers, events, again };
}

/** P1: what had an effect, and what was read, is on record. `seen`: markers that came back from reads. */
export async function allOnRecord(world, { seen = [] } = {}) {
  const { rows } = await world.target.query('SELECT DISTINCT marker FROM effects');
  const log = await readLog(world.dataDir);
  const missing = [...rows.map(({ marker }) => marker), ...seen].filter((marker) => !log.markers.has(marker));
  assert.deepEqual(missing.slice(0, SHOWN), [], `${missing.length} of ${rows.length} effects are not on record`);
  return { effects: rows.length, log };
}

/** Every session has its end; an aborted one names exactly what was submitted and never completed. */
export function allEnded(log, { except = [] } = {}) {
  const open = [...log.sessions.values()].filter(({ id, end }) => !end && !except.includes(id));
  assert.deepEqual(
    open.slice(0, SHOWN).map(({ id }) => id),
    [],
    `${open.length} sessions have no end`,
  );
  let aborted = 0;
  for (const { id, end, unfinished } of log.sessions.values()) {
    if (end?.type !== 'session.aborted') continue;
    aborted++;
    assert.equal(end.reason, 'killed');
    assert.deepEqual(
      [...end.unfinished].sort((a, b) => a - b),
      [...unfinished].sort((a, b) => a - b),
      `${id} names other operations as unfinished`,
    );
  }
  return aborted;
}

/** P6: both verdicts of `sallyport verify` on the data directory as it is. */
export async function verifies(world) {
  const command = process.env.SALLYPORT_FAULTS_COMMAND ?? COMMAND;
  const { code, stdout, stderr } = await runToEnd(process.execPath, [command, 'verify', world.dataDir, '--format', 'json'], {
    anyCode: true,
  });
  assert.equal(code, 0, `verify found something:\n${stdout.slice(0, 4000)}\n${stderr}`);
  const { reports } = JSON.parse(stdout);
  assert.ok(reports.length > 0 && reports.every(({ integrity, completeness }) => integrity.ok && completeness.ok));
  return reports[0];
}

const CAUGHT_UP_TIMEOUT_MS = 30_000;
const REBUILT_TIMEOUT_MS = 60_000;

const asking = (world) => (method, path, given) => console_(world, method, path, given);

/** P7: read models that are dropped and made again from the log are equal. Nobody may be at work meanwhile. */
export function rebuildsEqual(world) {
  const timeouts = { caughtUpMs: CAUGHT_UP_TIMEOUT_MS, rebuiltMs: REBUILT_TIMEOUT_MS };
  return equalAfterRebuild(asking(world), () => readModels(world), timeouts);
}

/** The projector has read all there is. */
export function caughtUp(world) {
  return projectorsCaughtUp(asking(world), CAUGHT_UP_TIMEOUT_MS);
}

async function readModels(world) {
  const models = {};
  for (const name of ['sessions', 'leases', 'approvals', 'principals']) {
    models[name] = [];
    for (let cursor = ''; ;) {
      const { status, body } = await console_(world, 'GET', `${name}?limit=100${cursor}`);
      assert.equal(status, 200, `${name}: ${JSON.stringify(body)}`);
      models[name].push(...body.items);
      if (body.next === null) break;
      cursor = `&cursor=${encodeURIComponent(body.next)}`;
    }
  }
  return models;
}

/** Everything that a kill must not break, once the next start is ready. */
export async function recovered(world, { seen } = {}) {
  const found = await eventually(async () => {
    const { effects, log } = await allOnRecord(world, { seen });
    return { effects, log, aborted: allEnded(log) };
  });
  await eventually(() => noRoles(world), 30_000);
  await verifies(world);
  return {
    effects: found.effects,
    sessions: found.log.sessions.size,
    aborted: found.aborted,
    events: found.log.events,
    again: found.log.again,
  };
}

export { sleep };
