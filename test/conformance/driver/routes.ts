import { randomBytes } from 'node:crypto';
import { postgresRoles } from '@sallyport/adapter-postgres-role';
import type { LeaseSource } from '@sallyport/lease';
import type { Target } from '../../harness/index.mjs';
import type { Sallyport } from '../../harness/index.mjs';
import type { Route } from './session.js';

export const RESOURCE = 'corpus';
export const SUBJECT = 'corpus-agent';
export const ADMIN_ENV = 'CORPUS_ADMIN_URL';
export const PROFILE = 'everything';
export const OWNER = 'corpus_owner';

/** As much as can be lent: owner of the database, and what PostgreSQL has as roles. The same for both ways. */
export const PROFILES = {
  [PROFILE]: [`ROLE ${OWNER}`, 'ROLE pg_monitor', 'ROLE pg_signal_backend', 'ROLE pg_read_all_data'],
};

export const ALLOW_ALL = [
  {
    name: 'the corpus may do everything',
    who: { subjects: [SUBJECT] },
    on: { names: [RESOURCE] },
    allow: ['*'],
    credential: PROFILE,
    rules: 'off',
  },
];

/** A database that nobody has touched. Whoever is still connected to the last one is cut off. */
export async function freshDatabase(target: Target, name: string, prepare: string): Promise<void> {
  await target.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`, undefined, 'postgres');
  const { rowCount } = await target.query('SELECT FROM pg_roles WHERE rolname = $1', [OWNER], 'postgres');
  if (rowCount === 0) await target.query(`CREATE ROLE ${OWNER} NOLOGIN`, undefined, 'postgres');
  await target.query(`CREATE DATABASE ${name} OWNER ${OWNER}`, undefined, 'postgres');
  await target.query(prepare, undefined, name);
}

/** Straight to the server, with roles made by the vendor's own code: what is compared is the path, not the privileges. */
export async function directRoute(target: Target, database: string): Promise<Route & { close(): Promise<void> }> {
  const roles: LeaseSource = await postgresRoles({
    resource: RESOURCE,
    adminUrl: target.url(database),
    database,
    profiles: PROFILES,
    ttlMs: 15 * 60_000,
    installation: randomBytes(5).toString('hex'),
  });
  return {
    name: 'direct',
    async admit() {
      const id = randomBytes(16).toString('hex');
      const request = {
        session: id,
        resource: RESOURCE,
        subject: SUBJECT,
        database,
        profiles: [PROFILE],
        notAfterMs: Date.now() + 15 * 60_000,
      };
      const lease = roles.plan(id, request as never);
      const { user, password } = await roles.create(lease, request as never);
      return {
        endpoint: { host: target.host, port: target.port, database, user, password },
        release: async () => void (await roles.drop(id)),
      };
    },
    close: () => roles.close(),
  };
}

export function edgeRoute(up: Sallyport): Route {
  const endpoint = { host: up.host, port: up.port, database: RESOURCE, user: 'corpus', password: up.tokens[SUBJECT]! };
  return { name: 'edge', admit: async () => ({ endpoint, release: async () => undefined }) };
}
