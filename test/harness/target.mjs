/**
 * Throw-away PostgreSQL servers to stand behind the edge: the embedded one, and whatever Debian has installed.
 * Loopback only, nothing on disk survives `stop()`.
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chown, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '@sallyport/adapter-embedded-postgres';
import { testPostgres } from '@sallyport/adapter-embedded-postgres/testing';
import pg from 'pg';
import { runToEnd, userId } from './processes.mjs';

/**
 * @typedef {object} Target
 * @property {string} version  Major version, such as `18`.
 * @property {string} host
 * @property {number} port
 * @property {number} pid
 * @property {(database?: string) => string} url  Connection string of a superuser. Default: the database asked for.
 * @property {(text: string, values?: readonly unknown[], database?: string) => Promise<import('pg').QueryResult>} query
 *   As superuser, on a connection of its own.
 * @property {() => Promise<void>} stop
 */

const FAST = { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off', shared_buffers: '16MB', max_wal_size: '64MB' };
const START_TIMEOUT_MS = 20_000;

/**
 * Starts the embedded PostgreSQL 18.
 * @param {{ database?: string, settings?: Record<string, string> }} [options]
 * @returns {Promise<Target>}
 */
export async function startTarget(options = {}) {
  const server = await testPostgres(options);
  return { ...server, version: '18' };
}

/** Where Debian keeps the server's programs of a major version; undefined when it isn't installed. */
export function installedServer(version = '15') {
  const directory = `/usr/lib/postgresql/${version}/bin`;
  return existsSync(join(directory, 'postgres')) ? directory : undefined;
}

/**
 * Starts an installed PostgreSQL of another version in the same way.
 * @param {{ version?: string, database?: string, settings?: Record<string, string> }} [options]
 * @returns {Promise<Target>}
 */
export async function startInstalledTarget({ version = '15', database = 'test', settings = {} } = {}) {
  const programs = installedServer(version);
  if (!programs) throw new Error(`PostgreSQL ${version} is not installed`);
  const as = userId('postgres');
  const directory = await mkdtemp(join(tmpdir(), 'sallyport-target-'));
  const password = 'throw-away';
  const passwordFile = join(directory, 'password');
  await writeFile(passwordFile, password, { mode: 0o644 });
  if (as) await chown(directory, as.uid, as.gid);
  const data = join(directory, 'data');
  const initdb = [
    '-D',
    data,
    '-U',
    'postgres',
    '--auth=scram-sha-256',
    `--pwfile=${passwordFile}`,
    '-E',
    'UTF8',
    '--locale=C',
    '--no-sync',
  ];
  await runToEnd(join(programs, 'initdb'), initdb, { ...as, cwd: directory });

  const port = await freePort();
  const given = { ...FAST, ...settings, listen_addresses: '127.0.0.1', port: String(port), unix_socket_directories: directory };
  const arguments_ = ['-D', data, ...Object.entries(given).flatMap(([name, value]) => ['-c', `${name}=${value}`])];
  const child = spawn(join(programs, 'postgres'), arguments_, { ...as, cwd: directory, stdio: ['ignore', 'ignore', 'pipe'] });
  let log = '';
  child.stderr.on('data', (chunk) => (log = (log + chunk).slice(-100_000)));
  const exited = new Promise((resolve) => child.once('exit', resolve));
  const end = () => child.kill('SIGQUIT');
  process.once('exit', end);
  const stop = async () => {
    process.off('exit', end);
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGINT');
    await exited;
    await rm(directory, { recursive: true, force: true });
  };
  const url = (name = database) => `postgres://postgres:${password}@127.0.0.1:${port}/${encodeURIComponent(name)}`;
  const query = async (text, values, name) => {
    const client = new pg.Client({ connectionString: url(name) });
    await client.connect();
    try {
      return await client.query(text, values);
    } finally {
      await client.end();
    }
  };
  try {
    await untilAccepting(
      () => query('SELECT 1', undefined, 'postgres'),
      () => child.exitCode,
    );
    await query(`CREATE DATABASE "${database}"`, undefined, 'postgres');
  } catch (cause) {
    await stop();
    throw new Error(`PostgreSQL ${version} did not start\n${log}`, { cause });
  }
  return { version, host: '127.0.0.1', port, pid: child.pid, url, query, stop };
}

async function untilAccepting(attempt, exitCode) {
  for (const end = Date.now() + START_TIMEOUT_MS; ;) {
    try {
      return await attempt();
    } catch (error) {
      if (exitCode() !== null || Date.now() > end) throw error;
      await sleep(100);
    }
  }
}
