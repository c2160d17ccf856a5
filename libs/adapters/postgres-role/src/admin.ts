import type { ConnectionOptions } from 'node:tls';

import { LeaseError } from '@sallyport/lease';
import { Client, type ClientConfig, DatabaseError, escapeIdentifier, escapeLiteral, Pool } from 'pg';

export interface AdminOptions {
  /** `postgres://…` of a superuser, or of a role as README.md describes. Its database is used first. Secret. */
  readonly url: string;
  /** TLS of the connection, in the terms of `pg`; wins over the URL's `sslmode`. */
  readonly tls?: ConnectionOptions | boolean;
  readonly maxConnections: number;
  readonly connectTimeoutMs: number;
  readonly lockTimeoutMs: number;
  readonly statementTimeoutMs: number;
}

/** What is known about ourselves at the server. */
export interface Session {
  readonly client: Client;
  readonly superuser: boolean;
  readonly versionNumber: number;
}

export interface Admin {
  /**
   * One transaction on one database. The search path is `pg_catalog` alone: agents may own objects in these databases, and
   * nothing of theirs must ever be called with our rights. Rejects with `LEASE_TARGET`, or the `LeaseError` that `work` threw.
   */
  transaction<T>(database: string, work: (session: Session) => Promise<T>): Promise<T>;
  /** A connection beside those of transactions, not connected yet. Who asks ends it. */
  connection(database: string): Client;
  close(): Promise<void>;
}

const IDLE_MS = 10_000;
const TRIES = 5;
const PAUSE_MS = 50;

/** Two at the same catalog row ("tuple concurrently updated"), a deadlock, a serialisation failure: go again. */
function isRetryable(error: unknown): boolean {
  if (!(error instanceof DatabaseError)) return false;
  return error.code === '40P01' || error.code === '40001' || (error.code === 'XX000' && /tuple concurrently/.test(error.message));
}

/** Keeps the server's own words (our statements hold no secret), and of anything else the code only: it may quote an address. */
export function targetError(error: unknown): LeaseError {
  if (error instanceof LeaseError) return error;
  if (error instanceof DatabaseError)
    return new LeaseError('LEASE_TARGET', `the target refused (${error.code ?? 'no code'}): ${error.message}`);
  const code = (error as NodeJS.ErrnoException | undefined)?.code;
  return new LeaseError('LEASE_TARGET', `the target can't be reached${typeof code === 'string' ? ` (${code})` : ''}`);
}

function urlFor(base: URL, database: string): string {
  const url = new URL(base);
  url.pathname = `/${encodeURIComponent(database)}`;
  return url.href;
}

export function connectAdmin(options: AdminOptions): Admin {
  const base = URL.canParse(options.url) ? new URL(options.url) : null;
  // No cause: the error of a URL that can't be read quotes it, password and all.
  if (base === null || !/^postgres(ql)?:$/.test(base.protocol)) {
    throw new LeaseError('LEASE_CONFIG', "the admin credential isn't a postgres:// URL");
  }
  if (options.tls !== undefined) for (const name of ['sslmode', 'sslcert', 'sslkey', 'sslrootcert']) base.searchParams.delete(name);
  const pools = new Map<string, Pool>();

  const configFor = (database: string): ClientConfig => ({
    connectionString: urlFor(base, database),
    ...(options.tls === undefined ? {} : { ssl: options.tls }),
    application_name: 'sallyport-vendor',
    connectionTimeoutMillis: options.connectTimeoutMs,
    query_timeout: options.statementTimeoutMs + options.lockTimeoutMs,
  });

  const poolFor = (database: string): Pool => {
    const known = pools.get(database);
    if (known) return known;
    const pool = new Pool({
      ...configFor(database),
      max: options.maxConnections,
      idleTimeoutMillis: IDLE_MS,
      allowExitOnIdle: true,
    });
    // An idle connection that breaks is replaced at the next use.
    pool.on('error', () => undefined);
    pools.set(database, pool);
    return pool;
  };

  const once = async <T>(database: string, work: (session: Session) => Promise<T>): Promise<T> => {
    const client = await poolFor(database).connect();
    let broken: Error | undefined;
    const onError = (error: Error) => {
      broken = error;
    };
    client.on('error', onError);
    try {
      await client.query('BEGIN');
      await client.query(
        `SET LOCAL search_path = pg_catalog; SET LOCAL lock_timeout = ${options.lockTimeoutMs};` +
          ` SET LOCAL statement_timeout = ${options.statementTimeoutMs}`,
      );
      const { rows } = await client.query<{ superuser: boolean; version: number }>(
        "SELECT rolsuper AS superuser, current_setting('server_version_num')::int AS version FROM pg_catalog.pg_roles WHERE rolname = CURRENT_USER",
      );
      const result = await work({ client, superuser: rows[0]?.superuser === true, versionNumber: rows[0]?.version ?? 0 });
      await client.query('COMMIT');
      return result;
    } catch (error) {
      await client.query('ROLLBACK').catch((failed: Error) => {
        broken = failed;
      });
      throw error;
    } finally {
      client.off('error', onError);
      client.release(broken);
    }
  };

  return {
    async transaction(database, work) {
      for (let attempt = 1; ; attempt += 1) {
        try {
          return await once(database, work);
        } catch (error) {
          if (attempt >= TRIES || !isRetryable(error)) throw targetError(error);
          await new Promise((resolve) => setTimeout(resolve, PAUSE_MS * attempt * (0.5 + Math.random())));
        }
      }
    },
    connection: (database) => new Client(configFor(database)),
    async close() {
      await Promise.all([...pools.values()].map((pool) => pool.end()));
      pools.clear();
    },
  };
}

export { escapeIdentifier, escapeLiteral };
