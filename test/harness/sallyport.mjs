/** A real `sallyport up` as a child process, on free loopback ports and a directory of its own. */
import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { freePort } from '@sallyport/adapter-embedded-postgres';

const COMMAND = fileURLToPath(new URL('../../apps/sallyport/bin/sallyport.mjs', import.meta.url));
const READY_POLL_MS = 50;
const OUTPUT_MAX_CHARS = 1_000_000;

/**
 * @typedef {object} SallyportOptions
 * @property {readonly object[]} resources  As under `resources` in the configuration; see `postgresResource`.
 * @property {readonly object[]} grants  As under `grants` in grants.yaml.
 * @property {Record<string, unknown>} [limits]  As under `limits`.
 * @property {{ cert: string, key: string }} [tls]  Paths, for the Postgres listener.
 * @property {Record<string, unknown>} [extra]  Whatever else belongs at the top of the configuration.
 * @property {Record<string, string>} [env]  On top of our own environment: secrets of the resources.
 * @property {string} [directory]  An earlier one's `directory`, to start on its data again. It is then not removed by `stop()`.
 * @property {number} [readyTimeoutMs]  A first start may have to build.
 * @property {readonly string[]} [command]  Another program than the checkout's `sallyport`.
 */

/**
 * @typedef {object} Sallyport
 * @property {string} host  Of the Postgres listener.
 * @property {number} port
 * @property {Record<string, string>} tokens  Subject → a token of the development issuer.
 * @property {string} issuer
 * @property {Record<string, string>} listeners
 * @property {string} policyRevision
 * @property {string} directory  Holds `sallyport.yaml`, `grants.yaml` and `data/`.
 * @property {string} config  Path of the configuration, for further commands.
 * @property {string} dataDir
 * @property {number} pid
 * @property {Promise<{ code: number | null, signal: string | null }>} exited
 * @property {() => string} output  What it wrote so far, both streams.
 * @property {() => Promise<{ code: number | null, signal: string | null }>} stop  SIGTERM, waits, removes the directory if it was made here.
 * @property {() => Promise<void>} kill  SIGKILL, waits; the directory stays.
 */

/**
 * Starts it and waits for its ready file.
 * @param {SallyportOptions} options
 * @returns {Promise<Sallyport>}
 */
export async function startSallyport(options) {
  const { readyTimeoutMs = 180_000, command = [process.execPath, COMMAND] } = options;
  const directory = options.directory ?? (await mkdtemp(join(tmpdir(), 'sallyport-up-')));
  const config = join(directory, 'sallyport.yaml');
  const dataDir = join(directory, 'data');
  const readyFile = join(directory, 'ready.json');
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  await rm(readyFile, { force: true });
  // JSON is YAML.
  await writeFile(config, JSON.stringify(await configuration(options, dataDir), null, 2));
  await writeFile(join(directory, 'grants.yaml'), JSON.stringify({ grants: options.grants }, null, 2));

  const [program, ...first] = command;
  const child = spawn(program, [...first, 'up', '--config', config, '--data', dataDir, '--ready-file', readyFile, '--dev'], {
    cwd: directory,
    env: { ...process.env, ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output = (output + chunk).slice(-OUTPUT_MAX_CHARS)));
  const exited = new Promise((resolve) => child.once('exit', (code, signal) => resolve({ code, signal })));
  const isRunning = () => child.exitCode === null && child.signalCode === null;
  const end = () => child.kill('SIGKILL');
  process.once('exit', end);
  void exited.then(() => process.off('exit', end));
  const ended = async (signal) => {
    if (isRunning()) child.kill(signal);
    return exited;
  };
  const stop = async () => {
    const result = await ended('SIGTERM');
    if (options.directory === undefined) await rm(directory, { recursive: true, force: true });
    return result;
  };

  const ready = await untilReady(readyFile, isRunning, readyTimeoutMs);
  if (!ready) {
    await ended('SIGKILL');
    if (options.directory === undefined) await rm(directory, { recursive: true, force: true });
    throw new Error(`sallyport up did not get ready\n${output}`);
  }
  const address = ready.listeners.postgres;
  const colon = address.lastIndexOf(':');
  return {
    ...ready,
    host: address.slice(0, colon),
    port: Number(address.slice(colon + 1)),
    directory,
    config,
    dataDir,
    exited,
    output: () => output,
    stop,
    kill: async () => {
      await ended('SIGKILL');
    },
  };
}

/**
 * A Postgres resource of the configuration, with a role per session. Put `{ [adminEnv]: target.url() }` into `env`.
 * @param {{ name: string, target: { host: string, port: number }, database: string, databases?: readonly string[], profiles: Record<string, readonly string[]>, adminEnv: string, audit?: object }} options
 */
export function postgresResource({ name, target, database, databases, profiles, adminEnv, audit }) {
  return {
    name,
    kind: 'postgres',
    address: `${target.host}:${target.port}`,
    database,
    ...(databases === undefined ? {} : { databases }),
    tls: 'disable',
    credential: { 'postgres-role': { admin: { env: adminEnv }, ttl: '15m', profiles } },
    ...(audit === undefined ? {} : { audit }),
  };
}

async function configuration({ resources, limits, tls, extra }, dataDir) {
  const address = async () => `127.0.0.1:${await freePort()}`;
  return {
    data: dataDir,
    listen: {
      postgres: { address: await address(), ...(tls === undefined ? {} : { tls }) },
      console: { address: await address() },
      metrics: { address: await address() },
    },
    resources,
    policy: { grants: './grants.yaml' },
    ...(limits === undefined ? {} : { limits }),
    ...extra,
  };
}

async function untilReady(file, isRunning, timeoutMs) {
  for (const end = Date.now() + timeoutMs; Date.now() < end && isRunning();) {
    const text = await readFile(file, 'utf8').catch(() => undefined);
    if (text !== undefined) return JSON.parse(text);
    await sleep(READY_POLL_MS);
  }
  return undefined;
}
