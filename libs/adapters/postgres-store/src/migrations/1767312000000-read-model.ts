import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * The tables, in whichever schema the connection names. A read model is rebuilt rather than converted: a later migration that can't
 * carry rows over may empty all tables, and the projector fills them again from the log.
 */
export class ReadModel1767312000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    const { schema } = runner.dataSource.options as { schema: string };
    for (const statement of STATEMENTS) await runner.query(statement.replaceAll('@', `"${schema}".`));
  }

  async down(runner: QueryRunner): Promise<void> {
    const { schema } = runner.dataSource.options as { schema: string };
    const tables = ['sessions', 'operations', 'holds', 'leases', 'runs', 'events', 'offsets'].map((table) => `"${schema}".${table}`);
    await runner.query(`DROP TABLE ${tables.join(', ')}`);
  }
}

const STATEMENTS = [
  `CREATE TABLE @sessions (
    id text PRIMARY KEY, subject text NOT NULL, issuer text NOT NULL, principal_kind text NOT NULL, groups jsonb NOT NULL,
    actors jsonb NOT NULL, resource text NOT NULL, resource_kind text NOT NULL, labels jsonb NOT NULL, database text, run text,
    state text NOT NULL, opened timestamptz NOT NULL, closed timestamptz, last_seen timestamptz NOT NULL, reason text, detail text,
    revision text NOT NULL, profiles jsonb NOT NULL, rules_off boolean NOT NULL, operations bigint NOT NULL, rows bigint NOT NULL,
    bytes bigint NOT NULL, denials bigint NOT NULL, client jsonb, source text NOT NULL, events bigint NOT NULL,
    sequence integer NOT NULL, head text NOT NULL)`,
  'CREATE INDEX sessions_opened ON @sessions (opened, id)',
  'CREATE INDEX sessions_state ON @sessions (state, opened, id)',
  'CREATE INDEX sessions_principal ON @sessions (subject, issuer, opened, id)',
  'CREATE INDEX sessions_resource ON @sessions (resource, opened, id)',
  'CREATE INDEX sessions_run ON @sessions (run, opened, id)',
  `CREATE TABLE @operations (
    session text NOT NULL, operation bigint NOT NULL, class text NOT NULL, text text NOT NULL, fingerprint text NOT NULL,
    hash text NOT NULL, decision text, rules jsonb NOT NULL, reasons jsonb NOT NULL, revision text NOT NULL, submitted timestamptz,
    completed timestamptz, outcome text, tag text NOT NULL, rows bigint NOT NULL, bytes bigint NOT NULL,
    duration_micros double precision, error_code text, masked jsonb NOT NULL, PRIMARY KEY (session, operation))`,
  `CREATE TABLE @holds (
    session text NOT NULL, id text NOT NULL, operation bigint, hash text NOT NULL, resource text NOT NULL, resource_kind text NOT NULL,
    text text NOT NULL, class text NOT NULL, requester jsonb, rules jsonb NOT NULL, revision text NOT NULL, groups jsonb NOT NULL,
    needed bigint NOT NULL, window_ms double precision NOT NULL, requested timestamptz, expires timestamptz, answers jsonb NOT NULL,
    outcome text, by jsonb NOT NULL, applied_window_ends timestamptz, session_ended boolean NOT NULL, state text NOT NULL,
    given jsonb NOT NULL, window_ends timestamptz, PRIMARY KEY (session, id))`,
  'CREATE INDEX holds_id ON @holds (id)',
  'CREATE INDEX holds_requested ON @holds (requested, id)',
  'CREATE INDEX holds_state ON @holds (state, requested, id)',
  `CREATE TABLE @leases (
    id text PRIMARY KEY, session text NOT NULL, resource text NOT NULL, source text NOT NULL, login text NOT NULL,
    profiles jsonb NOT NULL, state text NOT NULL, failure text, issued timestamptz, expires timestamptz, ended timestamptz)`,
  'CREATE INDEX leases_issued ON @leases (issued, id)',
  'CREATE INDEX leases_state ON @leases (state, issued, id)',
  'CREATE INDEX leases_session ON @leases (session)',
  `CREATE TABLE @runs (
    run text PRIMARY KEY, principals jsonb NOT NULL, principals_truncated boolean NOT NULL, sessions bigint NOT NULL,
    open bigint NOT NULL, operations bigint NOT NULL, rows bigint NOT NULL, bytes bigint NOT NULL, denials bigint NOT NULL,
    first_seen timestamptz NOT NULL, last_seen timestamptz NOT NULL)`,
  'CREATE INDEX runs_last_seen ON @runs (last_seen, run)',
  `CREATE TABLE @events (
    topic text NOT NULL, partition integer NOT NULL, "offset" bigint NOT NULL, session text, sequence integer, identity text,
    type text, time timestamptz, subject text, problem text, bytes bytea NOT NULL, PRIMARY KEY (topic, partition, "offset"))`,
  // What was delivered twice is told by these two: an event of a session by its number, any other by its writer and its id.
  'CREATE UNIQUE INDEX events_session ON @events (session, sequence) WHERE session IS NOT NULL',
  'CREATE UNIQUE INDEX events_identity ON @events (topic, identity) WHERE session IS NULL AND identity IS NOT NULL',
  'CREATE INDEX events_problem ON @events (topic) WHERE problem IS NOT NULL',
  `CREATE TABLE @offsets (
    topic text NOT NULL, partition integer NOT NULL, next bigint NOT NULL, resume bigint NOT NULL, PRIMARY KEY (topic, partition))`,
];
