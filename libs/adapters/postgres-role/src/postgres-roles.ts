import type { ConnectionOptions } from 'node:tls';

import { LeaseError, type LeaseSource } from '@sallyport/lease';

import { connectAdmin, targetError } from './admin.js';
import { createRole } from './create-role.js';
import { type DropOptions, dropRole } from './drop-role.js';
import { checkProfiles, type Phrase } from './profile.js';
import { roleNames } from './role-name.js';
import { randomPassword, scramVerifier } from './scram.js';
import { serial } from './serial.js';
import { soleSweep } from './sole-sweep.js';

export interface PostgresRolesLimits {
  /** Of one session's role; the edge needs two or three. */
  readonly connectionsPerRole: number;
  /** Creations and drops that wait for their turn. */
  readonly maxPending: number;
  /** Our own connections to one database. */
  readonly maxConnections: number;
  readonly connectTimeoutMs: number;
  readonly lockTimeoutMs: number;
  readonly statementTimeoutMs: number;
  /** How long a dropped role's connections may take to end. */
  readonly terminateTimeoutMs: number;
}

export const POSTGRES_ROLES_LIMITS: PostgresRolesLimits = {
  connectionsPerRole: 4,
  maxPending: 1000,
  maxConnections: 4,
  connectTimeoutMs: 5_000,
  lockTimeoutMs: 5_000,
  statementTimeoutMs: 15_000,
  terminateTimeoutMs: 10_000,
};

export interface PostgresRolesOptions {
  readonly resource: string;
  /** `postgres://…`: a superuser, or a role as README.md describes. */
  readonly adminUrl: string;
  readonly tls?: ConnectionOptions | boolean;
  /** The database that a session gets when it names none. */
  readonly database: string;
  /** Others that a session may name. */
  readonly databases?: readonly string[];
  /** Profile name → `GRANT` phrases or `ROLE name`. */
  readonly profiles: Readonly<Record<string, readonly string[]>>;
  readonly ttlMs: number;
  /** 1 to 16 lower-case letters or digits, the same over restarts: which roles at the server are ours to sweep. */
  readonly installation: string;
  /** Gets what sessions leave behind. Must not be a superuser. Default: a role without rights, made when first needed. */
  readonly owner?: string;
  readonly limits?: Partial<PostgresRolesLimits>;
  readonly clock?: () => number;
}

/**
 * A PostgreSQL role for each session (P4). The password is 256 random bits and never leaves this process but sealed; the server
 * gets a SCRAM verifier. Rejects with `LEASE_CONFIG` when the options are wrong; doesn't connect before it is used.
 */
export async function postgresRoles(options: PostgresRolesOptions): Promise<LeaseSource> {
  const { resource, database, owner, clock = Date.now } = options;
  const limits = { ...POSTGRES_ROLES_LIMITS, ...options.limits };
  const names = roleNames(options.installation);
  const profiles = await checkProfiles(options.profiles);
  const databases = new Set([database, ...(options.databases ?? [])]);
  const admin = connectAdmin({
    url: options.adminUrl,
    ...(options.tls === undefined ? {} : { tls: options.tls }),
    maxConnections: limits.maxConnections,
    connectTimeoutMs: limits.connectTimeoutMs,
    lockTimeoutMs: limits.lockTimeoutMs,
    statementTimeoutMs: limits.statementTimeoutMs,
  });
  const turns = serial(limits.maxPending);
  const creating = new Map<string, Promise<unknown>>();
  const dropping = new Map<string, Promise<boolean>>();
  const dropOptions: DropOptions = {
    admin,
    serial: turns,
    database,
    owner,
    estate: names.estate,
    terminateTimeoutMs: limits.terminateTimeoutMs,
  };

  const phrasesOf = (wanted: readonly string[]): readonly Phrase[] =>
    wanted.flatMap((profile) => {
      const phrases = profiles.get(profile);
      if (!phrases)
        throw new LeaseError('LEASE_PROFILE_UNKNOWN', `resource ${resource} has no credential profile ${JSON.stringify(profile)}`);
      return phrases;
    });

  const checkOwner = async (client: { query: (text: string, values: unknown[]) => Promise<{ rows: unknown[] }> }) => {
    if (owner === undefined) return;
    const { rows } = await client.query('SELECT rolsuper FROM pg_roles WHERE rolname = $1', [owner]);
    const found = rows[0] as { rolsuper: boolean } | undefined;
    if (!found) throw new LeaseError('LEASE_CONFIG', `the owner ${owner} for what sessions leave behind does not exist`);
    // Its indexes and triggers would run an agent's code with all rights.
    if (found.rolsuper) throw new LeaseError('LEASE_CONFIG', `the owner ${owner} for what sessions leave behind is a superuser`);
  };

  const drop = async (id: string): Promise<boolean> => {
    const running = dropping.get(id);
    if (running) return running;
    const work = (async () => {
      await creating.get(id)?.catch(() => undefined);
      return dropRole(dropOptions, names.of(id));
    })();
    dropping.set(id, work);
    try {
      return await work;
    } catch (error) {
      throw targetError(error);
    } finally {
      dropping.delete(id);
    }
  };

  const sweepNow: LeaseSource['sweep'] = async (isLive, settled) => {
    const found = await admin.transaction(database, async ({ client }) => {
      const { rows } = await client.query<{ login: string; expired: boolean }>(
        'SELECT rolname AS login, coalesce(rolvaliduntil <= clock_timestamp(), false) AS expired FROM pg_roles WHERE starts_with(rolname, $1)',
        [names.prefix],
      );
      return rows;
    });
    await settled?.();
    const swept: { id: string; login: string }[] = [];
    const failed: { id: string; login: string; code: string }[] = [];
    for (const { login, expired } of found) {
      const id = names.leaseId(login);
      // VALID UNTIL is looked at when signing in only: who is in stays in, so an expired role is ended here.
      if (id === null || creating.has(id) || dropping.has(id) || (isLive(id) && !expired)) continue;
      try {
        if (await drop(id)) swept.push({ id, login });
      } catch (error) {
        failed.push({ id, login, code: error instanceof LeaseError ? error.code : 'LEASE_TARGET' });
      }
    }
    return { swept, failed };
  };

  return {
    resource,

    plan(id, order) {
      const nowMs = clock();
      const expiresAtMs = Math.min(order.notAfterMs, nowMs + options.ttlMs);
      if (!Number.isSafeInteger(expiresAtMs) || expiresAtMs <= nowMs)
        throw new LeaseError('LEASE_REQUEST_INVALID', 'the session is over already');
      if (order.database !== undefined && !databases.has(order.database)) {
        throw new LeaseError('LEASE_REQUEST_INVALID', `resource ${resource} has no database ${JSON.stringify(order.database)}`);
      }
      phrasesOf(order.profiles);
      return {
        id,
        session: order.session,
        resource,
        source: 'postgres-role',
        profiles: order.profiles,
        login: names.of(id),
        expiresAtMs,
      };
    },

    async create(lease, order) {
      if (lease.login !== names.of(lease.id)) throw new LeaseError('LEASE_REQUEST_INVALID', 'the lease was planned by another source');
      const phrases = phrasesOf(lease.profiles);
      const password = randomPassword();
      const work = (async () => {
        const verifier = await scramVerifier(password);
        await turns.run(() =>
          admin.transaction(order.database ?? database, async (session) => {
            await checkOwner(session.client);
            await createRole(session, { lease, order, phrases, verifier, connectionLimit: limits.connectionsPerRole, nowMs: clock() });
          }),
        );
      })();
      // At once, so that a drop that comes now waits for it.
      creating.set(lease.id, work);
      try {
        await work;
      } finally {
        creating.delete(lease.id);
      }
      return { user: lease.login, password };
    },

    drop,

    async sweep(isLive, settled) {
      const { installation } = options;
      const done = await soleSweep(admin, { database, installation }, () => sweepNow(isLive, settled));
      return done ?? { swept: [], failed: [], skipped: true };
    },

    close: () => admin.close(),
  };
}
