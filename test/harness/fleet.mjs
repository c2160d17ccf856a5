/**
 * Sallyport as many processes on a real Kafka: any number of edges, deciders, vendors, projectors and consoles, each with a directory, a
 * configuration and ports of its own. They share what machines share: the brokers, the enrolled keys, the installation.
 */
import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { startDevIssuer } from '@sallyport/adapter-dev-issuer';
import { freePort } from '@sallyport/adapter-embedded-postgres';
import { formatVerifierKeys, loadOrCreateKey } from '@sallyport/events';
import { startKafka } from './kafka.mjs';
import { runToEnd } from './processes.mjs';
import { startTarget } from './target.mjs';

export const COMMAND = fileURLToPath(new URL('../../apps/sallyport/bin/sallyport.mjs', import.meta.url));
const SKEWED_CLOCK = new URL('./skewed-clock.mjs', import.meta.url).href;
const READY_POLL_MS = 50;
const READY_TIMEOUT_MS = 60_000;
const EVENTUALLY_TIMEOUT_MS = 30_000;
const EVENTUALLY_POLL_MS = 200;
const OUTPUT_MAX_CHARS = 200_000;
/** A test that is ended leaves no service behind. */
const ENDS = new Set();
process.once('exit', () => {
  for (const end of ENDS) end();
});

/**
 * @typedef {object} FleetOptions
 * @property {readonly object[]} resources  As under `resources` in the configuration.
 * @property {readonly object[]} grants  As under `grants` in grants.yaml.
 * @property {readonly import('@sallyport/adapter-dev-issuer').DevPrincipal[]} principals
 * @property {Record<string, number>} [replicas]  Of each service; default one each: `{ edge: 2 }`.
 * @property {Record<string, unknown>} [limits]
 * @property {Record<string, string>} [env]  Secrets of the resources.
 * @property {number} [partitions]  Default 6.
 * @property {import('@sallyport/adapter-kafka/testing').StartKafkaOptions} [kafka]  Of the broker.
 * @property {Record<string, unknown>} [acls]  As under `bus.kafka.acls`: then they are applied too, by the broker's anonymous super user.
 * @property {(store: import('./target.mjs').Target) => string} [storeUrl]  How the read models' database is reached.
 * @property {(service: FleetService, config: object) => object | Promise<object>} [configure]  Changes the configuration of one service.
 */

/**
 * One service of a fleet, which can be ended and started again on the same directory.
 * @typedef {object} FleetService
 * @property {string} role  @property {string} name  @property {string} key  `edge/e1`
 * @property {string} directory  @property {string} config  Path.
 * @property {Record<string, string>} listeners  @property {number | undefined} pid
 * @property {() => Promise<FleetService>} start  @property {() => Promise<{ code: number | null, signal: string | null }>} stop  SIGTERM.
 * @property {() => Promise<void>} kill  @property {() => string} output
 */

/**
 * @typedef {object} Fleet
 * @property {import('@sallyport/adapter-kafka/testing').TestKafka} kafka
 * @property {import('./target.mjs').Target} store  Of the read models.
 * @property {string} directory  @property {string} rosterFile  @property {Record<string, string | undefined>} environment
 * @property {FleetService[]} services
 * @property {(key: string) => FleetService | undefined} service  @property {(role: string) => FleetService[]} of
 * @property {(subject: string, overrides?: object) => Promise<string>} tokenFor
 * @property {(args: readonly string[], how?: { subject?: string, config?: string, anyCode?: boolean }) => Promise<{ code: number | null, stdout: string, stderr: string }>} sallyport
 *   The command line, by default with the console's configuration and as the operator of its machine. Unless `anyCode` is false every exit code is an answer.
 * @property {<T>(what: string, ask: () => Promise<T | undefined | false>) => Promise<T>} eventually  Asks until there is an answer.
 * @property {(...roles: string[]) => Promise<void>} start  @property {() => string} output  @property {() => Promise<void>} stop
 */

/**
 * @param {FleetOptions} options
 * @returns {Promise<Fleet>}
 */
export async function startFleet(options) {
  const {
    resources,
    grants,
    principals,
    replicas = {},
    limits,
    env = {},
    partitions = 6,
    kafka: broker,
    acls,
    storeUrl,
    configure = (_, config) => config,
  } = options;
  const directory = await mkdtemp(join(tmpdir(), 'sallyport-fleet-'));
  const stops = [() => rm(directory, { recursive: true, force: true })];
  const stop = async () => {
    for (const one of stops.splice(0).reverse()) await one().catch((error) => console.log(`a clean-up failed: ${error.message}`));
  };
  try {
    const [kafka, store, issuer] = await Promise.all([
      startKafka(broker),
      startTarget({ database: 'sallyport' }),
      startDevIssuer({ principals }),
    ]);
    stops.push(
      () => kafka.stop(),
      () => store.stop(),
      () => issuer.close(),
    );
    const rosterFile = join(directory, 'services.keys');
    await writeFile(join(directory, 'grants.yaml'), JSON.stringify({ grants }));
    const shared = {
      bus: { kafka: { brokers: kafka.brokers, topics: { partitions, replication: 1 }, ...(acls && { acls }) } },
      store: { postgres: { url: '${STORE_URL}' } },
      identity: { providers: [{ name: 'dev', oidc: { issuer: issuer.issuer, audience: issuer.audience } }] },
      installation: { id: 'fleet', maskKey: { env: 'MASK_KEY' } },
      trust: { keys: rosterFile },
      resources,
      policy: { grants: join(directory, 'grants.yaml') },
      ...(limits === undefined ? {} : { limits }),
    };
    const environment = {
      ...process.env,
      STORE_URL: storeUrl?.(store) ?? store.url(),
      MASK_KEY: 'a-mask-key-of-the-test-fleet-0123',
      SALLYPORT_LOG_LEVEL: 'warn',
      ...env,
    };
    const services = [];
    for (const role of ['decision', 'vendor', 'projector', 'console', 'edge']) {
      for (let n = 1; n <= (replicas[role] ?? 1); n++)
        services.push(await fleetService({ role, name: `${role[0]}${n}`, directory, shared, environment, configure }));
    }
    stops.push(() => Promise.all(services.map((service) => service.kill())));
    await enrol(services, rosterFile);
    // Whoever keeps the brokers signs in otherwise than services do.
    const keeper = join(directory, 'keeper.yaml');
    await writeFile(keeper, JSON.stringify({ ...shared, data: join(directory, 'keeper') }));
    await runToEnd(process.execPath, [COMMAND, 'topics', 'apply', ...(acls ? ['--acls'] : []), '--config', keeper], { env: environment });
    const fleet = {
      kafka,
      store,
      issuer,
      directory,
      services,
      rosterFile,
      environment,
      /** By key, `edge/e1`, or all of a role. */
      service: (key) => services.find((service) => service.key === key),
      of: (role) => services.filter((service) => service.role === role),
      tokenFor: (subject, overrides) => issuer.tokenFor(subject, overrides),
      async sallyport(args, { subject, config = fleet.of('console')[0].config, anyCode = true } = {}) {
        const token = subject === undefined ? {} : { SALLYPORT_TOKEN: await issuer.tokenFor(subject) };
        return runToEnd(process.execPath, [COMMAND, ...args, '--config', config], { env: { ...environment, ...token }, anyCode });
      },
      async eventually(what, ask) {
        for (const end = Date.now() + EVENTUALLY_TIMEOUT_MS; Date.now() < end; await sleep(EVENTUALLY_POLL_MS)) {
          const answer = await ask();
          if (answer !== undefined && answer !== false) return answer;
        }
        throw new Error(`did not come about: ${what}\n${fleet.output().slice(-5000)}`);
      },
      /** Those of these roles, or all; the ones that others need come first. */
      async start(...roles) {
        const wanted = services.filter(({ role }) => roles.length === 0 || roles.includes(role));
        await Promise.all(wanted.map((service) => service.start()));
      },
      output: () => services.map((service) => `--- ${service.key}\n${service.output()}`).join('\n'),
      stop,
    };
    return fleet;
  } catch (error) {
    await stop();
    throw error;
  }
}

async function fleetService({ role, name, directory: parent, shared, environment, configure }) {
  const directory = join(parent, `${role}-${name}`);
  const config = join(directory, 'sallyport.yaml');
  const readyFile = join(directory, 'ready.json');
  await mkdir(join(directory, 'data'), { recursive: true, mode: 0o700 });
  let child;
  let exited = Promise.resolve({ code: 0, signal: null });
  let output = '';
  const isRunning = () => child !== undefined && child.exitCode === null && child.signalCode === null;
  ENDS.add(() => child?.kill('SIGKILL'));
  const service = {
    role,
    name,
    key: `${role}/${name}`,
    directory,
    dataDir: join(directory, 'data'),
    config,
    listeners: {},
    get pid() {
      return isRunning() ? child.pid : undefined;
    },
    /** @param {{ clockMs?: number, env?: Record<string, string>, waitMs?: number }} [how]  `clockMs`: how wrong its clock is. */
    async start({ clockMs, env = {}, waitMs = READY_TIMEOUT_MS } = {}) {
      if (isRunning()) return service;
      await rm(readyFile, { force: true });
      child = spawn(
        process.execPath,
        [...(clockMs === undefined ? [] : ['--import', SKEWED_CLOCK]), COMMAND, role, '--config', config, '--ready-file', readyFile],
        {
          cwd: directory,
          env: { ...environment, ...(clockMs === undefined ? {} : { SALLYPORT_TEST_CLOCK_MS: String(clockMs) }), ...env },
          stdio: ['ignore', 'pipe', 'pipe'],
        },
      );
      const started = child;
      for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output = (output + chunk).slice(-OUTPUT_MAX_CHARS)));
      exited = new Promise((resolve) => started.once('exit', (code, signal) => resolve({ code, signal })));
      for (const until = Date.now() + waitMs; ; await sleep(READY_POLL_MS)) {
        const text = await readFile(readyFile, 'utf8').catch(() => undefined);
        if (text !== undefined) {
          service.listeners = JSON.parse(text).listeners;
          return service;
        }
        if (!isRunning() || Date.now() > until) throw new Error(`${service.key} did not get ready\n${output}`);
      }
    },
    async stop() {
      if (isRunning()) child.kill('SIGTERM');
      return exited;
    },
    async kill() {
      if (isRunning()) child.kill('SIGKILL');
      await exited;
    },
    signal: (signal) => child?.kill(signal),
    exited: () => exited,
    output: () => output,
  };
  const address = async () => `127.0.0.1:${await freePort()}`;
  const standard = {
    ...shared,
    data: service.dataDir,
    name,
    edge: { name },
    listen: { postgres: { address: await address() }, console: { address: await address() }, metrics: { address: '127.0.0.1:0' } },
  };
  await writeFile(config, JSON.stringify(await configure(service, standard), null, 2));
  return service;
}

/** Every service's key, the ledger's of the projectors, and of who publishes policies beside a console, in one file. */
async function enrol(services, file) {
  const keys = [];
  for (const { role, name, dataDir } of services) {
    keys.push(await loadOrCreateKey(join(dataDir, 'keys'), `${role}/${name}`));
    if (role === 'projector') keys.push(await loadOrCreateKey(join(dataDir, 'keys'), `ledger/${name}`));
    if (role === 'console') keys.push(await loadOrCreateKey(join(dataDir, 'keys'), `publisher/${name}`));
  }
  await writeFile(file, formatVerifierKeys(keys));
}
