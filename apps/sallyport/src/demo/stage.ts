import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Client, type QueryResult } from 'pg';
import { startSample } from '../up/sample.js';
import { SAMPLE_DIR } from '../services/settings.js';

const COMMAND = resolve(dirname(fileURLToPath(import.meta.url)), '../../bin/sallyport.mjs');
const UP_TIMEOUT_MS = 60_000;

export interface Ready {
  readonly listeners: Readonly<Record<string, string>>;
  readonly policyRevision: string;
  readonly tokens: Readonly<Record<string, string>>;
}

export interface Finished {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** What the demo plays on: a real shop database, `sallyport up` as a process of its own, and the command line. */
export interface Stage {
  readonly dir: string;
  readonly dataDir: string;
  readonly ready: Ready;
  /** At the server itself, as its administrator: to see what really happened there. */
  atServer(sql: string): Promise<QueryResult<Record<string, unknown>>>;
  /** An agent with the plain `pg` client: host, port, database, and a token for a password. */
  agent(token: string, application?: string): Promise<Client>;
  /** The command line, as a person would type it. */
  sallyport(args: readonly string[], token?: string): Promise<Finished>;
  /** Ends `up` with SIGTERM and waits for it. */
  stopUp(): Promise<number>;
  strike(): Promise<void>;
}

export async function setStage(): Promise<Stage> {
  const dir = await mkdtemp(join(tmpdir(), 'sallyport-demo-'));
  const dataDir = join(dir, 'data');
  const sample = await startSample(dir, false);
  const configPath = join(SAMPLE_DIR, 'sallyport.yaml');
  const readyFile = join(dir, 'ready.json');
  const up = spawn(process.execPath, [COMMAND, 'up', '--config', configPath, '--data', dataDir, '--ready-file', readyFile, '--dev'], {
    env: { ...process.env, ...sample.env },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const ended = new Promise<number>((done) => up.once('exit', (code) => done(code ?? 1)));
  const strike = async (): Promise<void> => {
    if (up.exitCode === null) up.kill('SIGTERM');
    await ended;
    await sample.stop();
    await rm(dir, { recursive: true, force: true });
  };
  try {
    const ready = await readyIn(readyFile, ended);
    const [host, port] = ready.listeners.postgres!.split(/:(?=\d+$)/);
    return {
      dir,
      dataDir,
      ready,
      async atServer(sql) {
        const client = new Client({ connectionString: sample.env.SHOP_ADMIN_URL });
        await client.connect();
        try {
          return await client.query<Record<string, unknown>>(sql);
        } finally {
          await client.end();
        }
      },
      async agent(token, application = 'demo') {
        const client = new Client({
          host: host!,
          port: Number(port),
          database: 'shop',
          user: 'agent',
          password: token,
          application_name: application,
        });
        // The edge may end a session: the demo looks at the outcome of each step, not at this.
        client.on('error', () => undefined);
        await client.connect();
        return client;
      },
      sallyport: (args, token) =>
        run([COMMAND, ...args, '--config', configPath, '--data', dataDir], { ...sample.env, ...(token ? { SALLYPORT_TOKEN: token } : {}) }),
      async stopUp() {
        up.kill('SIGTERM');
        return ended;
      },
      strike,
    };
  } catch (error) {
    await strike();
    throw error;
  }
}

async function readyIn(file: string, ended: Promise<number>): Promise<Ready> {
  const deadline = Date.now() + UP_TIMEOUT_MS;
  let code: number | undefined;
  void ended.then((value) => (code = value));
  for (;;) {
    try {
      return JSON.parse(await readFile(file, 'utf8')) as Ready;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
    if (code !== undefined) throw new Error(`sallyport up ended with code ${code}`);
    if (Date.now() > deadline) throw new Error(`sallyport up was not ready within ${UP_TIMEOUT_MS / 1000} s`);
    await new Promise((wait) => setTimeout(wait, 50));
  }
}

function run(args: readonly string[], env: Readonly<Record<string, string>>): Promise<Finished> {
  return new Promise((done, fail) => {
    const child = spawn(process.execPath, args, { env: { ...process.env, ...env, NO_COLOR: '1' }, stdio: ['ignore', 'pipe', 'pipe'] });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    child.once('error', fail);
    child.once('close', (code) => done({ code: code ?? 1, stdout, stderr }));
  });
}
