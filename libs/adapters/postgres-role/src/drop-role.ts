import { setTimeout as sleep } from 'node:timers/promises';

import { LeaseError } from '@sallyport/lease';

import { type Admin, escapeIdentifier, type Session } from './admin.js';
import type { Serial } from './serial.js';

export interface DropOptions {
  readonly admin: Admin;
  readonly serial: Serial;
  readonly database: string;
  /** Who gets what the role owns, when that is configured. */
  readonly owner: string | undefined;
  /** Who gets it otherwise. Made when it is first needed. */
  readonly estate: string;
  /** How long its connections may take to end. */
  readonly terminateTimeoutMs: number;
}

const POLL_MS = 25;
const ROUNDS = 3;

async function oidOf(client: Session['client'], role: string): Promise<number | null> {
  const { rows } = await client.query<{ oid: number }>('SELECT oid FROM pg_roles WHERE rolname = $1', [role]);
  return rows[0]?.oid ?? null;
}

/** Shuts the door first, so that what is ended below can't come back. Null when there is no such role. */
async function shut(options: DropOptions, role: string): Promise<number | null> {
  return options.admin.transaction(options.database, async ({ client }) => {
    const oid = await oidOf(client, role);
    if (oid !== null) await client.query(`ALTER ROLE ${escapeIdentifier(role)} NOLOGIN CONNECTION LIMIT 0 PASSWORD NULL`);
    return oid;
  });
}

async function endConnections(options: DropOptions, oid: number): Promise<void> {
  for (let waitedMs = 0; ; waitedMs += POLL_MS) {
    const left = await options.admin.transaction(options.database, async ({ client }) => {
      const { rows } = await client.query<{ pid: number }>(
        'SELECT pid, pg_terminate_backend(pid) FROM pg_stat_activity WHERE usesysid = $1 AND pid <> pg_backend_pid()',
        [oid],
      );
      return rows.length;
    });
    if (left === 0) return;
    if (waitedMs >= options.terminateTimeoutMs) throw new LeaseError('LEASE_TARGET', `${left} connections did not end in time`);
    await sleep(POLL_MS);
  }
}

/** The databases in which anything depends on the role: `pg_shdepend` knows them all, whatever our configuration lists. */
async function databasesOf(options: DropOptions, oid: number): Promise<readonly string[]> {
  return options.admin.transaction(options.database, async ({ client }) => {
    const { rows } = await client.query<{ name: string }>(
      "SELECT DISTINCT d.datname AS name FROM pg_shdepend s JOIN pg_database d ON d.oid = s.dbid WHERE s.refclassid = 'pg_authid'::regclass AND s.refobjid = $1",
      [oid],
    );
    // The first database also settles what is shared by all.
    return [options.database, ...rows.map((row) => row.name).filter((name) => name !== options.database)];
  });
}

async function ownsAnything(client: Session['client'], oid: number): Promise<boolean> {
  const { rowCount } = await client.query(
    "SELECT FROM pg_shdepend WHERE refclassid = 'pg_authid'::regclass AND refobjid = $1 AND deptype = 'o' AND dbid IN (0, (SELECT oid FROM pg_database WHERE datname = current_database())) LIMIT 1",
    [oid],
  );
  return (rowCount ?? 0) > 0;
}

/**
 * Views and SECURITY DEFINER functions run with their owner's rights. Given to another owner as they are, they would let the next
 * agent do through them what this one could not; so they are made to run with their caller's rights.
 */
async function disarm({ client, versionNumber }: Session, oid: number): Promise<void> {
  const { rows } = await client.query<{ statement: string }>(
    `SELECT format('ALTER ROUTINE %s SECURITY INVOKER', p.oid::regprocedure) AS statement FROM pg_proc p WHERE p.proowner = $1 AND p.prosecdef
     UNION ALL
     SELECT format('ALTER VIEW %s SET (security_invoker = true)', c.oid::regclass) FROM pg_class c
     WHERE c.relowner = $1 AND c.relkind = 'v' AND $2 >= 150000`,
    [oid, versionNumber],
  );
  for (const { statement } of rows) await client.query(statement);
}

async function ensureEstate({ client, superuser, versionNumber }: Session, estate: string): Promise<void> {
  if ((await oidOf(client, estate)) !== null) return;
  const name = escapeIdentifier(estate);
  await client.query(`CREATE ROLE ${name} NOLOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS`);
  await client.query(`COMMENT ON ROLE ${name} IS 'Sallyport: owns what sessions left behind; has no rights of its own'`);
  if (!superuser) await client.query(`GRANT ${name} TO CURRENT_USER${versionNumber >= 160_000 ? ' WITH INHERIT TRUE, SET TRUE' : ''}`);
}

/** Without being superuser, the new owner must be allowed to create in the schema of what it is given: lent for the transaction. */
async function schemasOf({ client, superuser }: Session, oid: number, heir: string): Promise<readonly string[]> {
  if (superuser) return [];
  const { rows } = await client.query<{ name: string }>(
    `SELECT n.nspname AS name FROM pg_namespace n
     WHERE n.oid IN (SELECT relnamespace FROM pg_class WHERE relowner = $1 UNION SELECT pronamespace FROM pg_proc WHERE proowner = $1
                     UNION SELECT typnamespace FROM pg_type WHERE typowner = $1)
       AND n.nspowner <> $1 AND NOT has_schema_privilege($2, n.oid, 'CREATE')`,
    [oid, heir],
  );
  return rows.map((row) => row.name);
}

async function settle(session: Session, role: string, oid: number, options: DropOptions): Promise<void> {
  const { client } = session;
  const name = escapeIdentifier(role);
  if (await ownsAnything(client, oid)) {
    const heir = options.owner ?? options.estate;
    if (options.owner === undefined) await ensureEstate(session, heir);
    await disarm(session, oid);
    const lent = await schemasOf(session, oid, heir);
    for (const schema of lent) await client.query(`GRANT CREATE ON SCHEMA ${escapeIdentifier(schema)} TO ${escapeIdentifier(heir)}`);
    await client.query(`REASSIGN OWNED BY ${name} TO ${escapeIdentifier(heir)}`);
    for (const schema of lent) await client.query(`REVOKE CREATE ON SCHEMA ${escapeIdentifier(schema)} FROM ${escapeIdentifier(heir)}`);
  }
  // What is left are rights that it was given, here and on what all databases share.
  await client.query(`DROP OWNED BY ${name}`);
}

/** False when it was gone already. Without IF EXISTS: when one goes at the same moment, only one of the two may take it for its own work. */
async function remove(options: DropOptions, role: string, oid: number): Promise<boolean> {
  return options.admin.transaction(options.database, async ({ client }) => {
    if ((await oidOf(client, role)) !== oid) return false;
    await client.query(`DROP ROLE ${escapeIdentifier(role)}`);
    return true;
  });
}

/**
 * Ends a role: no more logins, its connections ended, what it owns given away in every database, its rights taken, the role
 * dropped. Each step is its own transaction, and can be done again from the start. False when there was no such role, or another replica
 * has dropped it meanwhile.
 */
export async function dropRole(options: DropOptions, role: string): Promise<boolean> {
  const oid = await shut(options, role);
  if (oid === null) return false;
  for (let round = 1; ; round += 1) {
    await endConnections(options, oid);
    try {
      for (const database of await databasesOf(options, oid)) {
        await options.serial.run(() => options.admin.transaction(database, (session) => settle(session, role, oid, options)));
      }
      // One that was signing in while the door was shut has shown up by now.
      await endConnections(options, oid);
      return await remove(options, role, oid);
    } catch (error) {
      // Another replica was faster: what we were about to change is gone.
      if ((await options.admin.transaction(options.database, ({ client }) => oidOf(client, role))) === null) return false;
      // It may have made something just before it was ended.
      if (round >= ROUNDS) throw error;
    }
  }
}
