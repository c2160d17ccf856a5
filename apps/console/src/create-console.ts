import { NestFactory } from '@nestjs/core';
import { ExpressAdapter, type NestExpressApplication } from '@nestjs/platform-express';
import { DistrustMetrics } from '@sallyport/adapter-metrics';
import { type Bus, TOPICS } from '@sallyport/bus';
import type { SigningKey, VerifierKey } from '@sallyport/events';
import type { IdentityPort } from '@sallyport/identity';
import { announce, type AnnouncedServices, distrustReport, followTrusted, type Roster } from '@sallyport/trust';
import type { Engine } from '@sallyport/verdict';
import type { AnswerHold } from './answer.port.js';
import { ConsoleModule } from './console.module.js';
import { exporter } from './export/exporter.js';
import { AuthenticateGuard } from './http/authenticate.js';
import { frontDoor } from './http/front-door.js';
import { ProblemFilter } from './http/problem.js';
import type { Log } from './http/request.js';
import { CONSOLE_LIMITS, type ConsoleLimits } from './limits.js';
import { LiveFeed } from './live/feed.js';
import { LiveStreams } from './live/streams.js';
import type { ProjectionsPort } from './projections.port.js';
import type { PolicyInfo, ResourceInfo } from './services.js';
import type { ConsoleStore } from './store.port.js';

export interface ConsoleOptions {
  readonly host: string;
  /** 0: a free one. */
  readonly port: number;
  /** PEM. Needed by whoever listens on more than a loopback address. */
  readonly tls?: { readonly cert: string | Buffer; readonly key: string | Buffer };
  readonly store: ConsoleStore;
  /** Revocations go to its control stream; the live feed and exports come from its session stream. */
  readonly bus: Bus;
  /** `console/NAME`: signs revocations. */
  readonly key: SigningKey;
  /** Whose word counts. */
  readonly roster: Roster;
  /** Filled from the control stream; caught up when the console is there. */
  readonly announced: AnnouncedServices;
  /** Told of itself when it starts. */
  readonly installation: string;
  readonly version: string;
  readonly metrics?: DistrustMetrics;
  /** Brings an answer to the decision service. */
  readonly answer: AnswerHold;
  readonly identity: IdentityPort;
  readonly engine: Engine;
  /** The operator's secret of this machine; believed from loopback connections only. */
  readonly localToken?: string;
  readonly resources: readonly ResourceInfo[];
  /** The live policy. */
  readonly policy: () => PolicyInfo;
  /** What goes into an export as `keys`: those of the edges and the ledger. */
  readonly verifierKeys: () => Promise<readonly VerifierKey[]>;
  /** The projector, for `projections status` and `rebuild`. */
  readonly projections?: ProjectionsPort;
  readonly log: Log;
  /** Why nothing can be answered now, one sentence. */
  readonly notReady?: () => string | undefined;
  readonly limits?: Partial<ConsoleLimits>;
  readonly nowMs?: () => number;
}

export interface Console {
  /** `host:port`. */
  readonly address: string;
  /** Ends live streams, waits for requests that are under way. */
  close(): Promise<void>;
}

const CLOSE_GRACE_MS = 2000;

/** The REST API for people, under `/api/v1`. */
export async function createConsole(options: ConsoleOptions): Promise<Console> {
  const { host, store, bus, answer, identity, engine, resources, policy, verifierKeys, log, nowMs = Date.now } = options;
  const limits: ConsoleLimits = { ...CONSOLE_LIMITS, ...options.limits };
  const { key, roster, announced, metrics = new DistrustMetrics() } = options;
  const control = await followTrusted({
    bus,
    topic: TOPICS.control,
    roster,
    onEvent: (event, by) => event.type === 'service.announced' && announced.apply(event, by),
    onDistrusted: distrustReport({ counted: metrics.counted, log, nowMs }),
    onError: (error) => log.error({ err: error }, 'the control stream can not be followed'),
  });
  const feed = await LiveFeed.open(bus, log);
  const closeFollowing = async (): Promise<void> => {
    await feed.close();
    await control.close();
  };
  const streams = new LiveStreams(feed, limits);
  const services = {
    store,
    bus,
    key,
    announced,
    engine,
    answer,
    feed,
    exporter: exporter(bus, verifierKeys, limits),
    verifierKeys,
    resources,
    policy,
    projections: options.projections,
    limits,
    nowMs,
  };
  const app = await NestFactory.create<NestExpressApplication>(ConsoleModule.of(services, streams), new ExpressAdapter(), {
    logger: false,
    bodyParser: false,
    ...(options.tls === undefined ? {} : { httpsOptions: { cert: options.tls.cert, key: options.tls.key } }),
  });
  const server = app.getHttpServer();
  const port = (): number => {
    const bound = server.address();
    return typeof bound === 'object' && bound ? bound.port : options.port;
  };
  app.set('query parser', 'simple');
  app.set('etag', false);
  app.disable('x-powered-by');
  app.use(frontDoor({ host, port, tls: options.tls !== undefined, notReady: options.notReady ?? (() => undefined), limits }));
  app.useBodyParser('json', { limit: limits.bodyMaxBytes, strict: true, type: () => true });
  app.useGlobalGuards(new AuthenticateGuard(identity, options.localToken));
  app.useGlobalFilters(new ProblemFilter(log));
  server.maxConnections = limits.maxConnections;
  server.headersTimeout = limits.requestTimeoutMs;
  server.requestTimeout = limits.requestTimeoutMs;
  try {
    await announce(bus, key, { installation: options.installation, version: options.version, nowMs: nowMs() });
    await app.listen(options.port, host);
  } catch (error) {
    await closeFollowing();
    throw error;
  }
  return {
    address: `${host.includes(':') ? `[${host}]` : host}:${port()}`,
    async close() {
      streams.close();
      await closeFollowing();
      const cut = setTimeout(() => server.closeAllConnections(), CLOSE_GRACE_MS);
      server.closeIdleConnections();
      await app.close().finally(() => clearTimeout(cut));
    },
  };
}
