import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, chown, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { Client } from 'pg';

import { placeFor } from './data-dir.js';
import { type EmbeddedPostgres, type EmbeddedPostgresOptions, startEmbeddedPostgres } from './embedded-postgres.js';
import { canReach } from './os-user.js';
import { testPostgres } from './testing.js';

const FAST = { fsync: 'off', shared_buffers: '16MB' };
const PACKAGE = fileURLToPath(new URL('..', import.meta.url));
/** For processes of their own, which can't load TypeScript: built before they are started. */
const ENTRY = path.join(PACKAGE, 'dist', 'embedded-postgres.js');
const NOBODY = { uid: 65_534, gid: 65_534 };

let base: string;
const running: EmbeddedPostgres[] = [];

beforeAll(async () => {
  await promisify(execFile)(process.execPath, [path.join(PACKAGE, '../../../node_modules/typescript/bin/tsc'), '-b', PACKAGE]);
});

beforeEach(async () => {
  base = await mkdtemp(path.join(os.tmpdir(), 'sallyport-embedded-spec-'));
  await chmod(base, 0o755);
});

afterEach(async () => {
  for (const server of running.splice(0)) await server.stop();
  await rm(base, { recursive: true, force: true });
});

async function start(options: Partial<EmbeddedPostgresOptions> = {}): Promise<EmbeddedPostgres> {
  const server = await startEmbeddedPostgres({ dataDir: path.join(base, 'pg'), persistent: true, settings: FAST, ...options });
  running.push(server);
  return server;
}

async function ask(url: string, text: string): Promise<unknown[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(text)).rows;
  } finally {
    await client.end();
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

async function until(condition: () => boolean): Promise<void> {
  for (let i = 0; i < 1000 && !condition(); i += 1) await sleep(20);
  expect(condition()).toBe(true);
}

describe('startEmbeddedPostgres', () => {
  it('listens on loopback only, below port 32768, and wants the password', async () => {
    const server = await start({ database: 'shop' });
    expect(server.port).toBeLessThan(32_768);
    expect(await ask(server.url(), "SELECT current_database() AS d, current_setting('listen_addresses') AS l")).toEqual([
      { d: 'shop', l: '127.0.0.1' },
    ]);
    await expect(ask(`postgres://postgres:wrong@127.0.0.1:${server.port}/shop`, 'SELECT 1')).rejects.toMatchObject({ code: '28P01' });
    expect(await ask(server.url(), "SELECT rolpassword LIKE 'SCRAM-SHA-256$%' AS scram FROM pg_authid WHERE rolname = 'postgres'")).toEqual(
      [{ scram: true }],
    );
    expect(await ask(server.url(), "SELECT current_setting('unix_socket_directories') AS s, current_setting('fsync') AS f")).toEqual([
      { s: '', f: 'off' },
    ]);
  });

  it('syncs unless told otherwise', async () => {
    const server = await start({ settings: {} });
    expect(await ask(server.url(), "SELECT current_setting('fsync') AS f, current_setting('synchronous_commit') AS s")).toEqual([
      { f: 'on', s: 'on' },
    ]);
  });

  it('keeps its data over a restart, and takes a new password', async () => {
    const first = await start({ superuserPassword: "it's one" });
    await ask(first.url(), 'CREATE TABLE t AS SELECT 7 AS v');
    await first.stop();
    const second = await start({ superuserPassword: 'two' });
    expect(await ask(second.url(), 'SELECT v FROM t')).toEqual([{ v: 7 }]);
    await second.stop();
    await second.stop();
    expect(isAlive(second.pid)).toBe(false);
  });

  it('starts again after the server was killed', async () => {
    const first = await start();
    await ask(first.url(), 'CREATE TABLE t AS SELECT 7 AS v');
    process.kill(first.pid, 'SIGKILL');
    expect(await first.exited).toEqual({ code: null, signal: 'SIGKILL' });
    const second = await start();
    expect(await ask(second.url(), 'SELECT v FROM t')).toEqual([{ v: 7 }]);
  });

  it('ends a server with clients connected, within its bounds', async () => {
    const server = await start();
    const client = new Client({ connectionString: server.url() });
    client.on('error', () => undefined);
    await client.connect();
    await client.query('BEGIN');
    await server.stop();
    expect(isAlive(server.pid)).toBe(false);
  });

  it('refuses a directory that is in use, that holds something else, or that is of another version', async () => {
    const server = await start();
    await expect(startEmbeddedPostgres({ dataDir: path.join(base, 'pg'), persistent: true })).rejects.toMatchObject({
      code: 'EMBEDDED_POSTGRES_IN_USE',
    });
    await expect(startEmbeddedPostgres({ dataDir: path.join(base, 'pg'), persistent: false })).rejects.toMatchObject({
      code: 'EMBEDDED_POSTGRES_IN_USE',
    });
    expect(await ask(server.url(), 'SELECT 1 AS one')).toEqual([{ one: 1 }]);

    const other = path.join(base, 'other');
    await mkdir(other);
    await writeFile(path.join(other, 'precious'), 'x');
    await expect(startEmbeddedPostgres({ dataDir: other, persistent: false })).rejects.toMatchObject({
      code: 'EMBEDDED_POSTGRES_DATA_DIR',
    });
    expect(await readFile(path.join(other, 'precious'), 'utf8')).toBe('x');
    await writeFile(path.join(other, 'PG_VERSION'), '15\n');
    await expect(startEmbeddedPostgres({ dataDir: other, persistent: true })).rejects.toMatchObject({ code: 'EMBEDDED_POSTGRES_DATA_DIR' });
  });

  it('says which port is taken, and why a bad setting stops it', async () => {
    const server = await start();
    await expect(
      startEmbeddedPostgres({ dataDir: path.join(base, 'b'), persistent: false, settings: FAST, port: server.port }),
    ).rejects.toMatchObject({ code: 'EMBEDDED_POSTGRES_PORT' });
    await expect(
      startEmbeddedPostgres({ dataDir: path.join(base, 'c'), persistent: false, settings: { max_connections: 'many' } }),
    ).rejects.toMatchObject({ code: 'EMBEDDED_POSTGRES_START', message: expect.stringContaining('max_connections') as string });
  });

  it('never shows the password in its log or its errors', async () => {
    const lines: string[] = [];
    const password = 'S3cret-'.repeat(4);
    const server = await start({
      superuserPassword: password,
      settings: { ...FAST, log_statement: 'all' },
      onLog: (line) => lines.push(line),
    });
    await ask(server.url(), 'SELECT 1');
    await server.stop();
    expect(lines.join('\n')).toContain('SELECT 1');
    expect(lines.join('\n')).not.toContain(password);
    const refused = await startEmbeddedPostgres({
      dataDir: path.join(base, 'x'),
      persistent: false,
      superuserPassword: `${password}\n`,
    }).catch((error: unknown) => String(error));
    expect(refused).not.toContain(password);
  });
});

describe('when the process that started it is killed', () => {
  let parent: ChildProcess | undefined;

  afterEach(() => {
    parent?.kill('SIGKILL');
  });

  /** A process of its own that starts a server and prints its pid; `guarded: false` takes the guard away. */
  async function inAnotherProcess(options: EmbeddedPostgresOptions): Promise<{ pid: number; child: ChildProcess }> {
    const script = `
      const { startEmbeddedPostgres } = await import(${JSON.stringify(ENTRY)});
      const server = await startEmbeddedPostgres(${JSON.stringify(options)});
      console.log(server.pid);
      setInterval(() => {}, 1000);`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
    parent = child;
    const pid = await new Promise<number>((resolve, reject) => {
      child.stdout.once('data', (chunk: Buffer) => resolve(Number(String(chunk).trim())));
      child.once('exit', () => reject(new Error('the process ended early')));
    });
    return { pid, child };
  }

  it('the guard ends the server and removes a throw-away directory', async () => {
    const dataDir = path.join(base, 'pg');
    const { pid, child } = await inAnotherProcess({ dataDir, persistent: false, settings: FAST });
    child.kill('SIGKILL');
    await until(() => !isAlive(pid) && !existsSync(path.join(dataDir, 'PG_VERSION')));
  });

  it('and so is the guard: the next start ends the server first', async () => {
    const dataDir = path.join(base, 'pg');
    const { pid, child } = await inAnotherProcess({ dataDir, persistent: true, settings: FAST });
    const guards = (await readFile(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8').catch(() => '')).trim().split(' ').map(Number);
    for (const guard of guards.filter((each) => each !== 0 && each !== pid)) process.kill(-guard, 'SIGKILL');
    child.kill('SIGKILL');
    await until(() => !isAlive(child.pid ?? 0) || child.signalCode !== null);
    const server = await start();
    expect(isAlive(pid)).toBe(false);
    expect(await ask(server.url(), 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });

  it('and its pid now belongs to somebody else: nobody is harmed', async () => {
    const first = await start();
    await first.stop();
    const bystander = spawn('/bin/sleep', ['600'], { stdio: 'ignore' });
    parent = bystander;
    await writeFile(
      path.join(first.dataDir, 'postmaster.pid'),
      `${bystander.pid}\n${first.dataDir}\n0\n${first.port}\n\n127.0.0.1\n\nready\n`,
    );
    await start().catch(() => undefined);
    expect(bystander.signalCode).toBe(null);
  });
});

const isRoot = process.getuid?.() === 0;
const asRoot = isRoot ? describe : describe.skip;
// A checkout under a closed home is out of an ordinary user's reach: the ordinary user who owns it runs this suite as themselves.
const whenShared = isRoot && (await canReach(PACKAGE, NOBODY)) ? it : it.skip;

asRoot('as root', () => {
  it('puts the cluster where its user can reach it when the directory asked for is closed', async () => {
    const closed = path.join(base, 'closed');
    await mkdir(closed, { mode: 0o700 });
    const server = await start({ dataDir: path.join(closed, 'pg') });
    try {
      expect(server.dataDir).toMatch(/^\/var\/lib\/sallyport\/postgres\//);
      await server.stop();
      const again = await start({ dataDir: path.join(closed, 'pg') });
      expect(again.dataDir).toBe(server.dataDir);
      await again.stop();
    } finally {
      await rm(server.dataDir, { recursive: true, force: true });
    }
  });

  it('makes that place so that its user can reach it, whatever the umask', async () => {
    const closed = path.join(base, 'closed-too');
    await mkdir(closed, { mode: 0o700 });
    const stateDir = path.join(base, 'state', 'postgres');
    const before = process.umask(0o077);
    try {
      expect(path.dirname(await placeFor(path.join(closed, 'pg'), NOBODY, stateDir))).toBe(stateDir);
    } finally {
      process.umask(before);
    }
  });

  whenShared('works for an ordinary user as well', async () => {
    const home = path.join(base, 'home');
    await mkdir(home);
    await chown(home, NOBODY.uid, NOBODY.gid);
    const script = `
      const { startEmbeddedPostgres } = await import(${JSON.stringify(ENTRY)});
      const server = await startEmbeddedPostgres(${JSON.stringify({ dataDir: path.join(home, 'pg'), persistent: true, settings: FAST })});
      await server.stop();
      console.log('done', process.getuid());`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      ...NOBODY,
      cwd: '/',
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let out = '';
    child.stdout.on('data', (chunk: Buffer) => {
      out += String(chunk);
    });
    await new Promise((resolve) => child.once('close', resolve));
    expect(out.trim()).toBe('done 65534');
  });
});

describe('testPostgres', () => {
  it('starts a throw-away server, answers, and leaves nothing', async () => {
    const server = await testPostgres();
    const answer = await server.query<{ v: string; d: string }>('SELECT current_setting($1) AS v, current_database() AS d', [
      'server_version',
    ]);
    expect(answer.rows[0]).toEqual({ v: '18.4', d: 'test' });
    await server.stop();
    expect(isAlive(server.pid)).toBe(false);
    expect(existsSync(server.dataDir)).toBe(false);
  });
});
