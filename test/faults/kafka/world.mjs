/**
 * What faults on Kafka are tried on: a fleet with two of what may be two, a target with a table of effects, and between the second edge and
 * everything that it talks to a network that can be made bad. What the clients saw and what is on the log are kept for as long as the fleet lives.
 */
import { createServer } from 'node:http';
import { openKafkaBus } from '@sallyport/adapter-kafka';
import { freePort } from '@sallyport/adapter-embedded-postgres';
import { startFleet } from '../../harness/fleet.mjs';
import { postgresResource, startTarget } from '../../harness/index.mjs';
import { startTcpProxy } from '../../harness/tcp-proxy.mjs';
import { askConsole, connected, readinessAt } from '../clients.mjs';
import { auditLog } from './log.mjs';

export { eventually } from '../clients.mjs';

export const WRITERS = ['agent-1', 'agent-2', 'agent-3', 'agent-4'];
/** Their tokens are worth nothing afterwards: each is used once. */
export const REVOCABLE = Array.from({ length: 40 }, (_, n) => `agent-revoked-${n + 1}`);
export const HELD = 'agent-held';
export const APPROVER = 'dana';
/** Whom nobody lets do anything until it is published. */
export const LATE = 'agent-late';
/** Strict and on disk; goes on while the bus is away; on the bus before anything happens. */
export const STRICT = 'shop';
export const BUFFERED = 'wide';
export const REPLICATED = 'sure';
/** Its credentials end soon by themselves. */
export const BRIEF = 'brief';
const BRIEF_TTL = '12s';

/** Short, so that a stopped bus is soon too far behind. */
export const BUS_MAX_LAG_MS = 3000;
/** So that the issuer is asked again while a test waits. */
const KEYS_SOON_OLD = { keysMaxAge: '4s', keysRefetchInterval: '1s', issuerRetry: '200ms' };
/** A token is not yet valid to whoever's clock is behind: installations whose clocks differ say by how much. */
const CLOCK_TOLERANCE = '6m';
export const PROXIED_EDGE = 'edge/e2';
export const INSTALLATION = 'fleet';

const SCHEMA = `
  CREATE TABLE effects (marker text NOT NULL, at timestamptz NOT NULL DEFAULT clock_timestamp());
  CREATE INDEX ON effects (marker);`;

export const GRANTS = [
  {
    name: 'agents work',
    who: { subjects: [...WRITERS, ...REVOCABLE] },
    on: { names: [STRICT, BUFFERED, REPLICATED, BRIEF] },
    allow: ['*'],
    credential: 'worker',
    rules: 'off',
  },
  {
    name: 'one asks first',
    who: { subjects: [HELD] },
    on: { names: [STRICT] },
    allow: ['postgres.read', 'postgres.session'],
    hold: ['postgres.write'],
    approval: { groups: ['dba'], count: 1, window: '10m' },
    credential: 'worker',
  },
];

const PRINCIPALS = [
  ...[...WRITERS, ...REVOCABLE, HELD, LATE].map((subject) => ({ subject, kind: 'workload', groups: [] })),
  { subject: APPROVER, kind: 'person', groups: ['dba'] },
];

const REPLICAS = { edge: 2, decision: 2, vendor: 2, projector: 2, console: 1 };

function resource(name, target, audit, ttl) {
  const standard = postgresResource({
    name,
    target,
    database: 'shop',
    adminEnv: 'SHOP_ADMIN_URL',
    profiles: { worker: ['SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public'] },
    audit: { record: 'full', ...audit },
  });
  if (ttl !== undefined) standard.credential['postgres-role'].ttl = ttl;
  return standard;
}

/** The issuer's keys at another address: it answers at its own only. */
async function serveKeys(issuer) {
  const server = createServer((_, response) => {
    void fetch(`${issuer()}/jwks`)
      .then((answer) => answer.text())
      .then((text) => response.setHeader('content-type', 'application/json').end(text));
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { port: server.address().port, close: () => new Promise((resolve) => server.close(resolve).closeAllConnections()) };
}

/** @param {{ replicas?: Record<string, number>, limits?: object, env?: Record<string, string> }} [options] */
export async function startKafkaWorld({ replicas = REPLICAS, limits = {}, env = {} } = {}) {
  const stops = [];
  const stop = async () => {
    for (const one of stops.splice(0).reverse())
      await Promise.resolve(one()).catch((error) => console.log(`a clean-up failed: ${error.message}`));
  };
  try {
    const target = await startTarget({ database: 'shop', settings: { max_connections: '200' } });
    stops.push(() => target.stop());
    await target.query(SCHEMA);
    const [outer, networks] = [await freePort(), {}];
    let issuer;
    let store;
    const keys = await serveKeys(() => issuer);
    stops.push(keys.close);
    // The broker names itself by the listener that one came in by: who came through the proxy comes back through it.
    for (const [name, to] of Object.entries({
      kafka: () => ({ port: outer }),
      target: () => ({ port: target.port }),
      issuer: () => ({ port: keys.port }),
      store: () => ({ port: store.port }),
    })) {
      networks[name] = await startTcpProxy({ to });
      stops.push(() => networks[name].close());
    }
    const resources = (at) => [
      resource(STRICT, at, { mode: 'strict', durability: 'disk' }),
      resource(BUFFERED, at, { mode: 'buffered', durability: 'disk' }),
      resource(REPLICATED, at, { mode: 'strict', durability: 'replicated' }),
      resource(BRIEF, at, { mode: 'strict', durability: 'disk' }, BRIEF_TTL),
    ];
    const fleet = await startFleet({
      resources: resources(target),
      grants: GRANTS,
      principals: PRINCIPALS,
      replicas,
      limits: { busMaxLag: `${BUS_MAX_LAG_MS}ms`, ...KEYS_SOON_OLD, ...limits },
      env: { SHOP_ADMIN_URL: target.url(), ...env },
      kafka: {
        properties: {
          listeners: `PLAINTEXT://127.0.0.1:@PORT@,OUTER://127.0.0.1:${outer},CONTROLLER://127.0.0.1:@CPORT@`,
          'advertised.listeners': `PLAINTEXT://127.0.0.1:@PORT@,OUTER://127.0.0.1:${networks.kafka.port}`,
          'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,OUTER:PLAINTEXT,CONTROLLER:PLAINTEXT',
        },
      },
      storeUrl(server) {
        store = server;
        const url = new URL(server.url());
        return Object.assign(url, { host: networks.store.address }).href;
      },
      configure({ key }, config) {
        const [provider] = config.identity.providers;
        issuer = provider.oidc.issuer;
        provider.oidc.clockTolerance = CLOCK_TOLERANCE;
        if (key !== PROXIED_EDGE) return config;
        const jwksUri = `http://${networks.issuer.address}/jwks`;
        return {
          ...config,
          bus: { kafka: { ...config.bus.kafka, brokers: [networks.kafka.address] } },
          identity: { providers: [{ ...provider, oidc: { ...provider.oidc, jwksUri } }] },
          resources: resources({ host: '127.0.0.1', port: networks.target.port }),
        };
      },
    });
    stops.push(() => fleet.stop());
    await fleet.start();
    const bus = await openKafkaBus({ brokers: fleet.kafka.brokers });
    stops.push(() => bus.close());
    return theWorld({ fleet, target, bus, networks, stop });
  } catch (error) {
    await stop();
    throw error;
  }
}

function theWorld({ fleet, target, bus, networks, stop }) {
  const tokens = new Map();
  return {
    fleet,
    target,
    bus,
    /** By peer of the second edge: `kafka`, `target`, `issuer`; and `store` between projectors, console and the read models. */
    networks,
    log: auditLog(bus),
    /** What clients were told, by marker: see load.mjs. */
    ledger: { acknowledged: new Map(), refused: new Map(), unknown: new Set() },
    stop,
    /** A subject's token, the same one until it is asked for anew. */
    async token(subject, { fresh = false } = {}) {
      if (fresh || !tokens.has(subject)) tokens.set(subject, await fleet.tokenFor(subject));
      return tokens.get(subject);
    },
    /** Starts again whatever doesn't run. */
    async restored() {
      for (const network of Object.values(networks)) network.pass();
      await fleet.start();
    },
  };
}

/** A connection of an agent through an edge. What ends it is its own affair: `client.ended` tells. */
export async function connect(world, subject, { edge = 'edge/e1', resource: database = STRICT, port, ...more } = {}) {
  const [host, at] = world.fleet.service(edge).listeners.postgres.split(':');
  return connected({ host, port: port ?? Number(at), database, user: subject, password: await world.token(subject), ...more });
}

/** What an attempt ended with; undefined when it worked. */
export function failureOf(attempt) {
  return attempt.then(
    () => undefined,
    (error) => error,
  );
}

/** The console's REST interface, as the local operator or with a token. */
export function console_(world, method, path, given) {
  const [{ listeners, dataDir }] = world.fleet.of('console');
  return askConsole({ address: listeners.console, dataDir, timeoutMs: 20_000 }, method, path, given);
}

export function readiness({ listeners }) {
  return readinessAt(listeners.metrics);
}
