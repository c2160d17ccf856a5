/** What must hold after a fault, however the services run. */
import assert from 'node:assert/strict';
import { eventually } from './clients.mjs';

const SHOWN = 5;

/** P4: no login role of a session, and nobody connected as one. */
export async function noRoles({ target }) {
  const { rows } = await target.query(String.raw`
    SELECT rolname AS name FROM pg_roles WHERE rolname LIKE 'sallyport\_%'
    UNION ALL SELECT 'backend of ' || usename FROM pg_stat_activity WHERE usename LIKE 'sallyport\_%'`);
  assert.deepEqual(rows.slice(0, SHOWN), [], `${rows.length} roles or their connections are left at the target`);
}

/** The projectors have read all there is. `ask` is the console: method, path, `{ body }`. */
export function projectorsCaughtUp(ask, timeoutMs) {
  return eventually(async () => {
    const { status, body } = await ask('GET', 'projections');
    assert.equal(status, 200, JSON.stringify(body));
    assert.deepEqual(
      body.topics.filter(({ lag }) => lag > 0),
      [],
    );
    assert.deepEqual(body.notReady, []);
  }, timeoutMs);
}

/**
 * P7: read models that are made again from the log are equal. Nobody may be at work meanwhile. `read` resolves with the rows of each, by
 * name. Returns how many each has.
 */
export async function equalAfterRebuild(ask, read, { caughtUpMs, rebuiltMs }) {
  await projectorsCaughtUp(ask, caughtUpMs);
  const before = await read();
  const started = await ask('POST', 'projections/rebuild', { body: {} });
  assert.ok(started.status < 300, `a rebuild was refused: ${JSON.stringify(started)}`);
  await eventually(async () => {
    const { body } = await ask('GET', 'projections');
    assert.equal(body.rebuild?.state, 'done', `the rebuild is ${JSON.stringify(body.rebuild)}`);
    assert.ok(started.body.id === undefined || body.rebuild.id === started.body.id, 'that was an earlier rebuild');
  }, rebuiltMs);
  await projectorsCaughtUp(ask, caughtUpMs);
  const after = await read();
  for (const name of Object.keys(before)) assert.deepEqual(after[name], before[name], `${name} differ after a rebuild`);
  return Object.fromEntries(Object.entries(before).map(([name, rows]) => [name, rows.length]));
}
