import { type DevIssuer, startDevIssuer } from '@sallyport/adapter-dev-issuer';
import { DistrustMetrics, type MetricSource, serveObservability } from '@sallyport/adapter-metrics';
import type { Config } from '@sallyport/config';
import type { Logger } from 'pino';
import { startConsole } from '../services/console.js';
import { startDecision } from '../services/decision.js';
import { edgeSettings } from '../services/edge.js';
import { type Ground, oidcProviders, openRoster, rosterPath, serviceKey } from '../services/ground.js';
import { installationOf } from '../services/installation.js';
import { livePolicy } from '../services/live-policy.js';
import type { Policy } from '../services/policy.js';
import { projectorSettings } from '../services/projector.js';
import { partByPart, type Stops } from '../services/service.js';
import { readModels } from '../services/store.js';
import { startVendor } from '../services/vendor.js';
import { openUpBus } from './bus-link.js';
import { devPrincipals } from './dev-principals.js';
import type { EdgeWorkerData } from './edge-worker.js';
import type { ProjectorWorkerData } from './projector-worker.js';
import { startWorker } from './worker-link.js';

export interface ComposeOptions {
  readonly config: Config;
  /** References to files are relative to it. */
  readonly baseDir: string;
  readonly env: NodeJS.ProcessEnv;
  readonly policy: Policy;
  /** Starts a development issuer beside the configured providers. */
  readonly dev: boolean;
  readonly log: Logger;
}

export interface Running {
  /** Listener name → address. */
  readonly listeners: Readonly<Record<string, string>>;
  readonly policyRevision: string;
  readonly issuer?: DevIssuer;
  /** Resolves when a service has died: then everything has to end. */
  readonly died: Promise<Error>;
  /** Drains and stops everything, in the reverse order of its start. */
  close(): Promise<void>;
}

/** Starts every service on embedded parts, in one process: this thread has the bus and the control plane, edge and projector have their own (ADR 0002). */
export function compose(options: ComposeOptions): Promise<Running> {
  return partByPart(options.log, (stops) => start(options, stops));
}

async function start(options: ComposeOptions, stops: Stops): Promise<Running> {
  const { config, log, policy, env, baseDir } = options;
  const { listen } = config;
  const installation = await installationOf(config, { env, baseDir });
  const own = await Promise.all(
    (['edge', 'decision', 'vendor', 'projector', 'console', 'ledger'] as const).map((role) => serviceKey(config, role)),
  );
  const roster = openRoster(rosterPath(config), own, log);

  const { bus, link } = await openUpBus(config, baseDir, env, log);
  stops.push(() => bus.close());
  const live = await livePolicy({ bus, roster, configured: policy, log });
  stops.push(() => live.close());

  const store = await readModels(config, baseDir, env);
  stops.push(() => store.stop());
  const issuer = options.dev ? await devIssuer(options) : undefined;
  if (issuer) stops.push(() => issuer.close());
  const providers = [
    ...oidcProviders(config),
    ...(issuer ? [{ name: 'dev', issuer: issuer.issuer, audience: issuer.audience, groups: 'groups' }] : []),
  ];
  const distrust = new DistrustMetrics();
  const ground: Ground = { distrust, config, baseDir, env, policy, live, installation, bus, roster, providers, log };

  const vendor = await startVendor(ground);
  stops.push(() => vendor.close());
  const decision = await startDecision(ground);
  stops.push(() => decision.close());

  const projectorBus = link();
  const projector = await startWorker(
    new URL('./projector-worker.js', import.meta.url),
    {
      bus: projectorBus.link,
      settings: projectorSettings(ground, store.url),
      logLevel: log.level,
    } satisfies ProjectorWorkerData,
    projectorBus.transfer,
  );
  stops.push(() => projector.terminate());
  stops.push(() => projector.call('close'));

  const edgeBus = link();
  const edge = await startWorker(
    new URL('./edge-worker.js', import.meta.url),
    { bus: edgeBus.link, settings: edgeSettings(ground), logLevel: log.level } satisfies EdgeWorkerData,
    edgeBus.transfer,
  );
  stops.push(() => edge.terminate());
  stops.push(() => edge.call('close'));
  const edgeListeners = await edge.call<Record<string, string>>('listeners');

  const console = await startConsole(ground, {
    storeUrl: store.url,
  });
  stops.push(() => console.close());
  const observability = await serveObservability({
    ...listen.metrics.address,
    sources: [
      ...[edge, projector].map((service) => () => service.call<Awaited<ReturnType<MetricSource>>>('metrics')),
      () => distrust.registry.getMetricsAsJSON(),
    ],
    notReady: async () => [...(await edge.call<readonly string[]>('notReady')), ...(await projector.call<readonly string[]>('notReady'))],
  });
  stops.push(() => observability.close());

  return {
    listeners: { ...edgeListeners, ...console.listeners, metrics: observability.address },
    policyRevision: live.current.policy.revision,
    ...(issuer ? { issuer } : {}),
    died: Promise.race([edge.died, projector.died, ...(store.died ? [store.died] : [])]),
    close: () => stops.run(),
  };
}

async function devIssuer({ config, policy, log }: ComposeOptions): Promise<DevIssuer> {
  const { port, tokenTtlMs } = config.identity.dev ?? {};
  return startDevIssuer({
    principals: devPrincipals(config, policy.grants),
    ...(port === undefined ? {} : { port }),
    ...(tokenTtlMs === undefined ? {} : { accessTokenTtlMs: tokenTtlMs }),
    onError: (error) => log.warn({ err: error }, 'the development issuer'),
  });
}
