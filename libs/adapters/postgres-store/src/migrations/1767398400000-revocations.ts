import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Services, revocations, and which edge has confirmed which. What was folded before didn't ask who has signed it, so the other tables are
 * emptied with their offsets: the projector fills them again from the log.
 */
export class Revocations1767398400000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    const { schema } = runner.dataSource.options as { schema: string };
    for (const statement of STATEMENTS) await runner.query(statement.replaceAll('@', `"${schema}".`));
  }

  async down(runner: QueryRunner): Promise<void> {
    const { schema } = runner.dataSource.options as { schema: string };
    const tables = ['services', 'revocations', 'acknowledgements'].map((table) => `"${schema}".${table}`);
    await runner.query(`DROP TABLE ${tables.join(', ')}`);
  }
}

const STATEMENTS = [
  `CREATE TABLE @services (
    name text PRIMARY KEY, role text NOT NULL, key_id text NOT NULL, installation text NOT NULL, version text NOT NULL,
    first timestamptz NOT NULL, last timestamptz NOT NULL)`,
  `CREATE TABLE @revocations (
    id text PRIMARY KEY, kind text NOT NULL, subject text, issuer text, session text, by text NOT NULL, reason text NOT NULL,
    revoked timestamptz NOT NULL, source text NOT NULL)`,
  'CREATE INDEX revocations_revoked ON @revocations (revoked, id)',
  'CREATE INDEX revocations_subject ON @revocations (subject, revoked, id)',
  'CREATE INDEX revocations_session ON @revocations (session, revoked, id)',
  `CREATE TABLE @acknowledgements (
    revocation text NOT NULL, edge text NOT NULL, confirmed timestamptz NOT NULL, sessions bigint NOT NULL,
    PRIMARY KEY (revocation, edge))`,
  'TRUNCATE @sessions, @operations, @holds, @leases, @runs, @events, @offsets',
];
