import { type Lease, LeaseError, type LeaseOrder } from '@sallyport/lease';

import { escapeIdentifier, escapeLiteral, type Session } from './admin.js';
import { grantStatement, type Phrase } from './profile.js';

const COMMENT_SUBJECT_MAX_CHARS = 200;

export interface NewRole {
  readonly lease: Lease;
  readonly order: LeaseOrder;
  readonly phrases: readonly Phrase[];
  readonly verifier: string;
  readonly connectionLimit: number;
  /** Our clock, milliseconds since the epoch: `expiresAtMs` is by it, and the server goes by its own. */
  readonly nowMs: number;
}

/** Who this is for, for whoever looks at the server. JSON, so that no text can pretend to be another field. */
function comment({ lease, order }: NewRole): string {
  return JSON.stringify({
    sallyport: lease.session,
    subject: order.subject.slice(0, COMMENT_SUBJECT_MAX_CHARS),
    resource: lease.resource,
  });
}

/** Members of a superuser role own the server, whatever the grants say. */
async function refuseSuperusers(client: Session['client'], roles: readonly string[]): Promise<void> {
  if (roles.length === 0) return;
  const found = await client.query<{ rolname: string }>(
    "SELECT g.rolname FROM pg_roles g WHERE g.rolname = ANY($1) AND EXISTS (SELECT FROM pg_roles s WHERE s.rolsuper AND pg_has_role(g.oid, s.oid, 'MEMBER'))",
    [roles],
  );
  const first = found.rows[0];
  if (first) throw new LeaseError('LEASE_CONFIG', `role ${first.rolname} is a superuser, or a member of one: it can't be lent`);
}

/**
 * Makes the role and its grants inside the caller's transaction: all of it is there, or nothing. INHERIT, so that memberships work
 * without SET ROLE; from PostgreSQL 16 on SET ROLE itself is withheld, so that what the session makes belongs to its own role.
 */
export async function createRole({ client, superuser, versionNumber }: Session, role: NewRole): Promise<void> {
  const name = escapeIdentifier(role.lease.login);
  const memberships = role.phrases.flatMap((phrase) => (phrase.kind === 'membership' ? [phrase.role] : []));
  await refuseSuperusers(client, memberships);
  const { rows } = await client.query<{ until: Date }>('SELECT clock_timestamp() + make_interval(secs => $1) AS until', [
    (role.lease.expiresAtMs - role.nowMs) / 1000,
  ]);
  const until = rows[0]?.until;
  if (until === undefined) throw new LeaseError('LEASE_TARGET', "the target's clock can't be read");
  await client.query(
    `CREATE ROLE ${name} LOGIN INHERIT NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS` +
      ` CONNECTION LIMIT ${role.connectionLimit} PASSWORD ${escapeLiteral(role.verifier)} VALID UNTIL ${escapeLiteral(until.toISOString())}`,
  );
  await client.query(`COMMENT ON ROLE ${name} IS ${escapeLiteral(comment(role))}`);
  if (!superuser) {
    // To end its connections and reassign what it owns later, we need its rights.
    const options = versionNumber >= 160_000 ? ' WITH INHERIT TRUE, SET TRUE' : '';
    await client.query(`GRANT ${name} TO CURRENT_USER${options}`);
  }
  for (const member of memberships) {
    const options = versionNumber >= 160_000 ? ' WITH INHERIT TRUE, SET FALSE, ADMIN FALSE' : '';
    await client.query(`GRANT ${escapeIdentifier(member)} TO ${name}${options}`);
  }
  // Operators may write table names without a schema; GRANT calls no function that an agent could have put there.
  await client.query('SET LOCAL search_path = public');
  for (const phrase of role.phrases) {
    if (phrase.kind === 'privileges') await client.query(grantStatement(phrase.text, name));
  }
  await client.query('SET LOCAL search_path = pg_catalog');
}
