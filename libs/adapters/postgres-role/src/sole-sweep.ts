import { createHash } from 'node:crypto';

import type { Client } from 'pg';

import { type Admin, targetError } from './admin.js';

/** The two halves of an advisory lock's key, as signed integers of 32 bits. */
function keyOf(installation: string): readonly [number, number] {
  const digest = createHash('sha256').update(`sallyport.sweep.v1 ${installation}`).digest();
  return [digest.readInt32BE(0), digest.readInt32BE(4)];
}

/**
 * Whether the lock is held by a login of our own. Everybody who may connect can take an advisory lock, and see in pg_locks which one: an
 * agent that holds it must not keep its own role from being swept. `usesysid` is whom a connection signed in as; SET ROLE doesn't change it.
 */
async function isHeldByUs(client: Client, [high, low]: readonly [number, number]): Promise<boolean> {
  const { rowCount } = await client.query(
    `SELECT FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
     WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 2 AND l.classid = $1::bigint::oid AND l.objid = $2::bigint::oid
       AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
       AND a.usesysid = (SELECT oid FROM pg_roles WHERE rolname = session_user)`,
    [high >>> 0, low >>> 0],
  );
  return (rowCount ?? 0) > 0;
}

/**
 * Runs `work` while no other vendor of the installation runs its own on this database; undefined when one does. The lock belongs to a
 * connection of its own, so it ends with whoever is killed. Where an agent is in the way, two may sweep at once: that costs, and breaks nothing.
 * Rejects with `LEASE_TARGET`.
 */
export async function soleSweep<T>(
  admin: Admin,
  { database, installation }: { readonly database: string; readonly installation: string },
  work: () => Promise<T>,
): Promise<T | undefined> {
  const client = admin.connection(database);
  // A connection that breaks has lost the lock; what is under way may go on.
  client.on('error', () => undefined);
  try {
    try {
      await client.connect();
      // As everywhere here: nothing that an agent has made is called with our rights.
      await client.query('SET search_path = pg_catalog');
      const key = keyOf(installation);
      const { rows } = await client.query<{ taken: boolean }>('SELECT pg_try_advisory_lock($1, $2) AS taken', [...key]);
      if (rows[0]?.taken !== true && (await isHeldByUs(client, key))) return undefined;
    } catch (error) {
      throw targetError(error);
    }
    return await work();
  } finally {
    await client.end().catch(() => undefined);
  }
}
