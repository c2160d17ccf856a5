import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { SecureContext } from 'node:tls';
import { EdgeMetrics } from '@sallyport/adapter-metrics';
import type { Bus } from '@sallyport/bus';
import type { SigningKey } from '@sallyport/events';
import { type IdentityPort, Revocations } from '@sallyport/identity';
import type { LeasePort } from '@sallyport/lease';
import { loadParser } from '@sallyport/operation';
import { Holds } from '@sallyport/session';
import { announce, type AnnouncedServices, distrustReport, type Roster } from '@sallyport/trust';
import type { VerdictPort } from '@sallyport/verdict';
import { Acknowledgements } from './acknowledgements.js';
import { followControl } from './control.js';
import type { EdgeLimits } from './limits.js';
import { LiveSessions } from './live-sessions.js';
import type { Log } from './log.js';
import { CancelKeys } from './postgres/cancel-keys.js';
import { listenPostgres, type PostgresListener } from './postgres/listener.js';
import { PostgresMasks } from './postgres/masks.js';
import type { OpenServices, PostgresResource } from './postgres/open.js';
import { policyChanged } from './postgres/refusals.js';
import { Statements } from './postgres/statements.js';
import { EdgeSpool } from './spool.js';
import { timedVerdicts } from './timed-verdicts.js';

export interface EdgeOptions {
  /** Part of `source` in every event, and of its key's name. */
  readonly name: string;
  /** Holds the spool; mode 0700. */
  readonly dataDir: string;
  /** `edge/NAME`: signs session ends, and what it says on the control stream. */
  readonly key: SigningKey;
  /** Whose word counts. */
  readonly roster: Roster;
  /** Filled from the control stream; caught up when the edge is there. */
  readonly announced: AnnouncedServices;
  /** Told of itself when it starts. */
  readonly installation: string;
  readonly version: string;
  readonly bus: Bus;
  readonly identity: IdentityPort;
  readonly leases: LeasePort;
  readonly verdicts: VerdictPort;
  readonly resources: readonly PostgresResource[];
  readonly postgres?: {
    readonly host: string;
    readonly port: number;
    readonly tls?: SecureContext;
    readonly auth: 'password' | 'oauthbearer';
  };
  /** Told to OAUTHBEARER clients that have no token. */
  readonly discoveryUrl?: string;
  /** Key of hashed mask values, at least 16 bytes. */
  readonly maskKey: Uint8Array;
  readonly limits: EdgeLimits;
  readonly log: Log;
  /** The disk lost records of live sessions: end the edge, and start it again when the disk works. Called at most once. */
  readonly lost: (error: Error) => void;
  readonly nowMs?: () => number;
}

export interface Edge {
  readonly listeners: Readonly<Record<string, string>>;
  readonly metrics: EdgeMetrics;
  /** Why it can't take new sessions; empty when it can. */
  notReady(): readonly string[];
  /** Takes no new sessions, ends the live ones, publishes what it can within `limits.shutdownTimeoutMs`. */
  close(): Promise<void>;
}

/** The data path: spool, sessions and listeners, on the ports that it is given. */
export async function createEdge(options: EdgeOptions): Promise<Edge> {
  const { bus, key: signingKey, roster, announced, limits, log, nowMs = Date.now } = options;
  await loadParser();
  await mkdir(options.dataDir, { recursive: true, mode: 0o700 });
  const metrics = new EdgeMetrics();
  const spool = await EdgeSpool.open({
    directory: join(options.dataDir, 'spool', options.name),
    signingKey,
    bus,
    log,
    nowMs,
    limits,
    recorded: (seconds) => metrics.recorded(seconds),
    lost: options.lost,
  });
  metrics.watchSpool({ bytes: () => spool.bytes, oldestSeconds: () => spool.oldestSeconds });
  const holds = new Holds(limits, nowMs);
  const live = new LiveSessions(limits, nowMs, log);
  const revocations = new Revocations(limits.revocationSkewMs);
  const acknowledgements = new Acknowledgements({ bus, key: signingKey, nowMs, log });
  const control = await followControl({
    bus,
    roster,
    key: signingKey,
    heard: { holds, live, revocations, acknowledgements, announced },
    onDistrusted: distrustReport({ counted: metrics.distrust.counted, log, nowMs }),
    log,
  });
  // Before the first session: whoever holds sessions is known to, and has to confirm revocations.
  await announce(bus, signingKey, { installation: options.installation, version: options.version, nowMs: nowMs() });
  const closing = new Set<Promise<void>>();
  const isStrict = options.resources.some(({ audit }) => audit.mode === 'strict');
  let stopping = false;
  const notReady = (): readonly string[] => [
    ...(stopping ? ['the edge is stopping'] : []),
    ...(spool.failure === undefined ? [] : [`the log can not be written: ${spool.failure}`]),
    ...(spool.behind === undefined || !isStrict ? [] : [`strict resources are refused: ${spool.behind}`]),
  ];

  const services: OpenServices = {
    edge: options.name,
    resources: new Map(options.resources.map((resource) => [resource.name, resource])),
    sessions: { verdicts: timedVerdicts(options.verdicts, metrics), holds, nowMs, limits },
    live,
    revocations,
    leases: options.leases,
    spool,
    signingKey,
    statements: new Statements(limits, limits.statementCacheMaxBytes),
    cancelKeys: new CancelKeys(),
    limits,
    masksFor: (connection, database, relay) =>
      new PostgresMasks({
        connection,
        database,
        parseLimits: limits,
        planLimits: {
          maxPlans: limits.maxMaskPlans,
          maxNamedStatements: limits.maxMaskedNames,
          maxParameters: limits.maxMaskParameters,
          maxRelations: limits.maxMaskRelations,
        },
        catalogLimits: {
          maxAgeMs: limits.catalogMaxAgeMs,
          connectTimeoutMs: limits.connectTimeoutMs,
          queryTimeoutMs: limits.catalogQueryTimeoutMs,
          maxPending: limits.maxCatalogQueries,
          maxEntries: limits.maxCatalogEntries,
        },
        hashKey: options.maskKey,
        lookup: (kind, name) => relay().names.ofProtocol(kind, name),
        settled: () => relay().settled(),
        outlived: () => relay().end('refused', 'the policy changed: it masks what this session was shown', policyChanged()),
      }),
    ending: (ended) => {
      closing.add(ended);
      void ended.finally(() => closing.delete(ended));
    },
    metrics,
    log,
  };
  let postgres: PostgresListener | undefined;
  if (options.postgres) {
    const { host, port, tls, auth } = options.postgres;
    const { identity, discoveryUrl } = options;
    postgres = await listenPostgres({
      host,
      port,
      tls,
      auth,
      identity,
      discoveryUrl,
      services,
      ready: () => notReady().length === 0,
      limits,
    });
  }

  return {
    listeners: postgres ? { postgres: postgres.address } : {},
    metrics,
    notReady,
    async close() {
      stopping = true;
      postgres?.close();
      live.endAll('shutdown', 'the gateway is stopping');
      const deadline = Date.now() + limits.shutdownTimeoutMs;
      while ((live.size > 0 || closing.size > 0) && Date.now() < deadline)
        await new Promise((resolve) => setTimeout(resolve, CLOSE_POLL_MS));
      live.close();
      await control.close();
      await acknowledgements.close();
      await spool.close(limits.shutdownTimeoutMs);
    },
  };
}

const CLOSE_POLL_MS = 10;
