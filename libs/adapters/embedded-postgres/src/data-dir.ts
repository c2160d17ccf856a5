import { createHash } from 'node:crypto';
import { chmod, chown, mkdir, mkdtemp, readFile, readdir, realpath, rename, rm, rmdir, writeFile } from 'node:fs/promises';
import path from 'node:path';

import type { Binaries } from './binaries.js';
import { EmbeddedPostgresError } from './errors.js';
import { canReach, type OsUser } from './os-user.js';
import { run } from './run.js';

const MAJOR = '18';
const INITDB_TIMEOUT_MS = 120_000;
/** Where root's clusters go that their user could not reach where they were asked for (a 0700 home or data directory). */
const ROOT_STATE_DIR = '/var/lib/sallyport/postgres';

/** Nothing but TCP on loopback with SCRAM; there is no unix socket, and nobody replicates. */
const HBA = 'host all all 127.0.0.1/32 scram-sha-256\n';

/** The place that is really used for `wanted`: itself, or for root one by its name that the server's user can reach. */
export async function placeFor(wanted: string, user: OsUser, stateDir = ROOT_STATE_DIR): Promise<string> {
  const dir = path.resolve(wanted);
  if (user === null) return dir;
  if (await canReach(path.dirname(dir), user)) return dir;
  const name = createHash('sha256').update(dir).digest('hex').slice(0, 32);
  await openDirectory(stateDir);
  if (!(await canReach(stateDir, user))) {
    throw new EmbeddedPostgresError('EMBEDDED_POSTGRES_DATA_DIR', `neither ${dir} nor ${stateDir} is within reach of the server's user`);
  }
  return path.join(stateDir, name);
}

/** Made so that others can go through it. What is there already keeps its mode: somebody may have closed it on purpose. */
async function openDirectory(dir: string): Promise<void> {
  const first = await mkdir(dir, { recursive: true });
  if (first === undefined) return;
  // The umask may have taken away what the server's user needs.
  for (let made = dir; ; made = path.dirname(made)) {
    await chmod(made, 0o755);
    if (made === first) return;
  }
}

export type Contents = 'none' | 'cluster';

/** What is in the directory. Anything that isn't a cluster of this major version, or nothing, is refused. */
export async function contents(dir: string): Promise<Contents> {
  const names = await readdir(dir).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw new EmbeddedPostgresError('EMBEDDED_POSTGRES_DATA_DIR', `${dir} can't be read`, { cause: error });
  });
  if (names.length === 0) return 'none';
  const version = (await readFile(path.join(dir, 'PG_VERSION'), 'utf8').catch(() => '')).trim();
  if (version === '')
    throw new EmbeddedPostgresError('EMBEDDED_POSTGRES_DATA_DIR', `${dir} is neither empty nor a PostgreSQL data directory`);
  if (version !== MAJOR) {
    throw new EmbeddedPostgresError('EMBEDDED_POSTGRES_DATA_DIR', `${dir} is of PostgreSQL ${version}, and this is ${MAJOR}`);
  }
  return 'cluster';
}

export interface InitialiseOptions {
  readonly dir: string;
  readonly binaries: Binaries;
  readonly user: OsUser;
  readonly superuser: string;
  /** Throw-away clusters need no sync. */
  readonly sync: boolean;
}

/**
 * Makes a cluster beside `dir` and renames it there, so that a kill in the middle leaves no half of one. The built-in
 * locale provider sorts the same on every platform.
 */
export async function initialise({ dir, binaries, user, superuser, sync }: InitialiseOptions): Promise<void> {
  const parent = path.dirname(dir);
  await mkdir(parent, { recursive: true });
  const fresh = await mkdtemp(path.join(parent, `.${path.basename(dir)}-new-`));
  try {
    if (user) await chown(fresh, user.uid, user.gid);
    await run({
      file: binaries.initdb,
      args: [
        `--pgdata=${fresh}`,
        `--username=${superuser}`,
        '--auth=reject',
        '--encoding=UTF8',
        '--locale=C',
        '--locale-provider=builtin',
        '--builtin-locale=C.UTF-8',
        ...(sync ? [] : ['--no-sync']),
      ],
      user,
      timeoutMs: INITDB_TIMEOUT_MS,
    });
    await rmdir(dir).catch(() => undefined);
    await rename(fresh, dir);
  } finally {
    await rm(fresh, { recursive: true, force: true });
  }
}

const CONTROL_CHARACTER = /\p{Cc}/u;

/**
 * Sets the superuser's password in single-user mode: no password file, none on a command line, and a cluster that was
 * made under another password takes the new one. Also finishes crash recovery. Takes some 50 ms.
 */
export async function setPassword(
  dir: string,
  binaries: Binaries,
  user: OsUser,
  login: { readonly user: string; readonly password: string },
): Promise<void> {
  if (CONTROL_CHARACTER.test(login.password) || login.password === '') {
    throw new EmbeddedPostgresError('EMBEDDED_POSTGRES_OPTION', 'superuserPassword must not be empty or hold control characters');
  }
  await writeFile(path.join(dir, 'pg_hba.conf'), HBA, { mode: 0o600 });
  const literal = login.password.replaceAll("'", "''");
  await run({
    file: binaries.postgres,
    // A failing statement must not be logged: it holds the password.
    args: ['--single', '-D', dir, '-c', 'log_min_error_statement=panic', '-c', 'log_statement=none', '-c', 'exit_on_error=on', 'template1'],
    user,
    stdin: `SET password_encryption = 'scram-sha-256'; ALTER ROLE "${login.user}" PASSWORD '${literal}'\n`,
    timeoutMs: INITDB_TIMEOUT_MS,
  });
}

/** The path as the server itself reports it. */
export async function canonical(dir: string): Promise<string> {
  return realpath(dir);
}
