import { mkdtemp } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';

import { Client, type QueryResult, type QueryResultRow } from 'pg';

import { type EmbeddedPostgres, startEmbeddedPostgres } from './embedded-postgres.js';

export interface TestPostgres extends EmbeddedPostgres {
  /** One statement (or several, without values) as superuser, on a connection of its own. */
  query<Row extends QueryResultRow = QueryResultRow>(
    text: string,
    values?: readonly unknown[],
    database?: string,
  ): Promise<QueryResult<Row>>;
  /** What the server has logged so far. */
  log(): string;
}

const LOG_MAX_CHARS = 16 * 1024 * 1024;

/** Nothing here survives a power cut, and nothing needs to. */
const FAST = { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off', shared_buffers: '16MB', max_wal_size: '64MB' };

/**
 * A throw-away server in a temporary directory, for specs: under a second to start. Call `stop()` in `afterAll`.
 * `settings` go on top of the fast ones. `database` defaults to `test`.
 */
export async function testPostgres(
  options: { readonly settings?: Readonly<Record<string, string>>; readonly database?: string } = {},
): Promise<TestPostgres> {
  const dataDir = await mkdtemp(path.join(os.tmpdir(), 'sallyport-test-pg-'));
  let log = '';
  const server = await startEmbeddedPostgres({
    dataDir,
    database: options.database ?? 'test',
    settings: { ...FAST, ...options.settings },
    persistent: false,
    onLog: (line) => {
      log = (log + line + '\n').slice(-LOG_MAX_CHARS);
    },
  });
  return {
    ...server,
    log: () => log,
    query: async <Row extends QueryResultRow>(text: string, values?: readonly unknown[], database?: string) => {
      const client = new Client({ connectionString: server.url(database) });
      await client.connect();
      try {
        return await client.query<Row>(text, values as unknown[] | undefined);
      } finally {
        await client.end();
      }
    },
  };
}
