import { runToEnd, startTarget } from '../../harness/index.mjs';

/** One branch for each client at least, else TPC-B measures nothing but waiting for the same row. */
const SCALE = '10';
const STREAMED_ROWS = 1_000_000;

/** As durable as PostgreSQL is by default, and nothing of its own starts in the middle of a run. */
const SETTINGS = {
  fsync: 'on',
  synchronous_commit: 'on',
  full_page_writes: 'on',
  shared_buffers: '256MB',
  max_wal_size: '4GB',
  checkpoint_timeout: '1h',
  autovacuum: 'off',
  max_connections: '200',
  max_parallel_workers_per_gather: '0',
};

/**
 * The database behind all peers, with pgbench's tables and one that is wide enough to stream. It is the embedded server whatever
 * else is installed: masks need PostgreSQL 18, and it is the same one on every machine.
 */
export async function startBenchTarget({ pgbench }) {
  const server = await startTarget({ database: 'bench', settings: SETTINGS });
  const { host, port, user, password, database } = server;
  try {
    await runToEnd(pgbench, ['-i', '-q', '-s', SCALE, '-h', host, '-p', String(port), '-U', user, database], {
      env: { ...process.env, PGPASSWORD: password, PGSSLMODE: 'disable' },
    });
    await server.query(`create table people as
      select id, 'person ' || id as name, 'person' || id || '@example.com' as email, md5(id::text) as note
      from generate_series(1, ${STREAMED_ROWS}) as id`);
    await server.query('alter table people add primary key (id)');
    await server.query('vacuum analyze people');
    await server.query('checkpoint');
    const { rows } = await server.query('show server_version');
    return { ...server, host, port, user, password, database, version: rows[0].server_version.split(' ')[0], streamedRows: STREAMED_ROWS };
  } catch (error) {
    await server.stop();
    throw error;
  }
}
