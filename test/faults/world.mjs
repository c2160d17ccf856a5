/** What every fault is tried on: a target server with a table of effects, and a `sallyport up` before it that can be killed and started again. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { postgresResource, startSallyport, startTarget } from '../harness/index.mjs';
import { askConsole, connected, readinessAt } from './clients.mjs';

export { eventually } from './clients.mjs';

/** Agents that may write, one that needs approval, one who gives it. */
export const WRITERS = ['agent-1', 'agent-2', 'agent-3', 'agent-4'];
/** Whose token is worth nothing afterwards. */
export const REVOKED = 'agent-revoked';
export const HELD = 'agent-held';
export const APPROVER = 'dana';

const APPROVAL_WINDOW = '3s';

const GRANTS = [
  {
    name: 'agents work',
    who: { subjects: [...WRITERS, REVOKED] },
    on: { names: ['shop'] },
    allow: ['*'],
    credential: 'worker',
    rules: 'off',
  },
  {
    name: 'one asks first',
    who: { subjects: [HELD] },
    on: { names: ['shop'] },
    allow: ['postgres.read', 'postgres.session'],
    hold: ['postgres.write'],
    approval: { groups: ['dba'], count: 1, window: APPROVAL_WINDOW },
    credential: 'worker',
  },
];

const SCHEMA = `
  CREATE TABLE effects (marker text NOT NULL, at timestamptz NOT NULL DEFAULT clock_timestamp());
  CREATE INDEX ON effects (marker);`;

/**
 * @param {{ settings?: Record<string, string>, limits?: object, extra?: object, root?: string }} [options]
 *   `root`: where Sallyport's directory is made.
 */
export async function startWorld({ settings, limits, extra, root = tmpdir() } = {}) {
  const target = await startTarget({ database: 'shop', settings: { max_connections: '200', ...settings } });
  await target.query(SCHEMA);
  const directory = await mkdtemp(join(root, 'sallyport-faults-'));
  const world = {
    target,
    directory,
    dataDir: join(directory, 'data'),
    up: undefined,
    options: {
      directory,
      resources: [
        postgresResource({
          name: 'shop',
          target,
          database: 'shop',
          adminEnv: 'SHOP_ADMIN_URL',
          profiles: { worker: ['SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public'] },
          audit: { mode: 'strict', durability: 'disk', record: 'full' },
        }),
      ],
      grants: GRANTS,
      env: { SHOP_ADMIN_URL: target.url(), SALLYPORT_LOG_LEVEL: 'warn' },
      ...(limits ? { limits } : {}),
      ...(extra ? { extra } : {}),
    },
    async start() {
      world.up = await startSallyport(world.options);
      return world.up;
    },
    /** Kills it while it starts, after so long. */
    async startAndKill(afterMs) {
      // Not ready in time is killed.
      const up = await startSallyport({ ...world.options, readyTimeoutMs: afterMs }).catch(() => undefined);
      await up?.kill();
    },
    async stop() {
      await world.up?.kill();
      await target.stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
  return world;
}

/** A connection of an agent through the edge. What ends it is its own affair: `client.ended` tells. */
export function connect(world, subject, { token = world.up.tokens[subject], ...more } = {}) {
  const { host, port } = world.up;
  return connected({ host, port, database: 'shop', user: subject, password: token, ...more });
}

/** The console's REST interface, as the local operator or with a token. */
export function console_(world, method, path, given) {
  return askConsole({ address: world.up.listeners.console, dataDir: world.dataDir, timeoutMs: 10_000 }, method, path, given);
}

export function readiness(world) {
  return readinessAt(world.up.listeners.metrics);
}
