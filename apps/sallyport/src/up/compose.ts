import { join } from 'node:path';
import { readdir, readFile } from 'node:fs/promises';
import { MessageChannel } from 'node:worker_threads';
import { type DevIssuer, startDevIssuer } from '@sallyport/adapter-dev-issuer';
import { openEmbeddedBus, serveBus } from '@sallyport/adapter-embedded-bus';
import { startEmbeddedPostgres } from '@sallyport/adapter-embedded-postgres';
import { type MetricSource, serveObservability } from '@sallyport/adapter-metrics';
import { BusClient, BusServer } from '@sallyport/adapter-nest-bus';
import { oidcIdentity, type OidcProviderOptions } from '@sallyport/adapter-oidc';
import { openStore } from '@sallyport/adapter-postgres-store';
import { type Bus, TOPICS } from '@sallyport/bus';
import { type Config, type Limits, resolveSecret } from '@sallyport/config';
import { type ConsoleLimits, createConsole, type ResourceInfo } from '@sallyport/console';
import { createDecision, type HoldAnswer } from '@sallyport/decision';
import { controlEvent, loadOrCreateKey, parseVerifierKeys, type VerifierKey } from '@sallyport/events';
import type { ProjectorStatus, RebuildState } from '@sallyport/projector';
import { createVendor } from '@sallyport/vendor';
import type { Logger } from 'pino';
import { devPrincipals } from './dev-principals.js';
import type { EdgeWorkerData } from './edge-worker.js';
import { installationOf } from './installation.js';
import { loadPolicy, type Policy, verdictsOf } from './policy.js';
import type { ProjectorWorkerData } from './projector-worker.js';
import { edgeResources, vendorResources } from './targets.js';
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
export async function compose(options: ComposeOptions): Promise<Running> {
  const stops: (() => Promise<unknown>)[] = [];
  const stopAll = async (): Promise<void> => {
    for (const stop of stops.splice(0).reverse())
      await stop().catch((error: unknown) => options.log.warn({ err: error }, 'a part did not stop cleanly'));
  };
  try {
    return await start(options, (stop) => stops.push(stop), stopAll);
  } catch (error) {
    await stopAll();
    throw error;
  }
}

async function start(
  options: ComposeOptions,
  onStop: (stop: () => Promise<unknown>) => void,
  stopAll: () => Promise<void>,
): Promise<Running> {
  const { config, log, policy, env, baseDir } = options;
  const { data: dataDir, limits, listen } = config;
  const installation = await installationOf(dataDir);
  const ledgerKey = await loadOrCreateKey(join(dataDir, 'keys'), `ledger/${config.edge.name}`);
  const loaded = await loadPolicy(policy);
  const verdicts = verdictsOf(loaded, limits, log);

  const bus = await openEmbeddedBus({
    dir: join(dataDir, 'bus'),
    topicMaxBytes: limits.topicMaxBytes,
    transientMaxBytes: limits.transientMaxBytes,
  });
  onStop(() => bus.close());
  const busPort = () => {
    const { port1, port2 } = new MessageChannel();
    serveBus(bus, port1);
    return port2;
  };

  const { url: storeUrl, died: storeDied } = await readModels(config, dataDir, baseDir, env, onStop);
  const issuer = options.dev ? await devIssuer(options) : undefined;
  if (issuer) onStop(() => issuer.close());
  const providers = [
    ...oidcProviders(config),
    ...(issuer ? [{ name: 'dev', issuer: issuer.issuer, audience: issuer.audience, groups: 'groups' }] : []),
  ];
  const identity = oidcIdentity({ providers, limits });
  onStop(async () => identity.close());

  const vendor = await createVendor({
    bus,
    transport: new BusServer({ bus, service: 'lease', maxRunningRequests: limits.maxRunningRequests }),
    resources: vendorResources(config, baseDir, env),
    installation: installation.id,
    limits: { maxLeases: limits.maxLeases },
    onError: (code, message) => log.warn({ service: 'vendor', code }, message),
  });
  onStop(() => vendor.close());
  const decision = await createDecision({
    bus,
    transport: new BusServer({ bus, service: 'decide', maxRunningRequests: limits.maxRunningRequests }),
    identity,
    engine: loaded.engine,
    verdicts,
    holdTimeoutMs: limits.holdTimeoutMs,
    log,
  });
  onStop(() => decision.close());
  await activated(bus, loaded, ledgerKey.id);

  const projectorPort = busPort();
  const projector = await startWorker(
    new URL('./projector-worker.js', import.meta.url),
    { bus: projectorPort, storeUrl, dataDir, name: config.edge.name, logLevel: log.level } satisfies ProjectorWorkerData,
    [projectorPort],
  );
  onStop(() => projector.terminate());
  onStop(() => projector.call('close'));

  const store = await openStore({
    url: storeUrl,
    limits: {
      maxConnections: limits.maxStoreConnections,
      statementTimeoutMs: limits.storeStatementTimeoutMs,
      pageMaxRows: limits.consolePageMaxRows,
    },
  });
  onStop(() => store.close());
  const answers = new BusClient({ bus, service: 'decide', requestTimeoutMs: limits.busRequestTimeoutMs });
  await answers.connect();
  onStop(() => answers.close());

  const edgePort = busPort();
  const edge = await startWorker(
    new URL('./edge-worker.js', import.meta.url),
    {
      bus: edgePort,
      name: config.edge.name,
      dataDir,
      providers,
      resources: edgeResources(config),
      listen: listen.postgres,
      policy,
      decisions: config.policy.decisions,
      maskKey: installation.maskKey,
      limits,
      logLevel: log.level,
    } satisfies EdgeWorkerData,
    [edgePort],
  );
  onStop(() => edge.terminate());
  onStop(() => edge.call('close'));

  const notReady = async (): Promise<readonly string[]> => [
    ...(await edge.call<readonly string[]>('notReady')),
    ...(await projector.call<readonly string[]>('notReady')),
  ];
  const edgeListeners = await edge.call<Record<string, string>>('listeners');
  const console = await createConsole({
    host: listen.console.address.host,
    port: listen.console.address.port,
    store,
    bus,
    answer: (answer: HoldAnswer) => answers.request('approval.answer', answer),
    identity,
    engine: loaded.engine,
    localToken: installation.operatorToken,
    resources: resourceInfos(config),
    policy: {
      revision: loaded.revision,
      rules: loaded.rules,
      opa: loaded.opa,
      grants: policy.grants.grants.map(({ name, rules }) => ({ name, rulesOff: rules === 'off' })),
    },
    verifierKeys: () => verifierKeys(join(dataDir, 'keys')),
    limits: consoleLimits(limits),
    projections: {
      status: () => projector.call<ProjectorStatus>('status'),
      rebuild: (id) => projector.call<RebuildState>('rebuild', id),
    },
    ...(listen.console.tls ? { tls: { cert: await readFile(listen.console.tls.cert), key: await readFile(listen.console.tls.key) } } : {}),
    log,
  });
  onStop(() => console.close());
  const observability = await serveObservability({
    host: listen.metrics.address.host,
    port: listen.metrics.address.port,
    sources: [edge, projector].map((service) => () => service.call<Awaited<ReturnType<MetricSource>>>('metrics')),
    notReady,
  });
  onStop(() => observability.close());

  return {
    listeners: { ...edgeListeners, console: console.address, metrics: observability.address },
    policyRevision: loaded.revision,
    ...(issuer ? { issuer } : {}),
    died: Promise.race([edge.died, projector.died, ...(storeDied ? [storeDied] : [])]),
    close: stopAll,
  };
}

/** The database of the read models: one that is named, or an embedded one in the data directory. */
async function readModels(
  config: Config,
  dataDir: string,
  baseDir: string,
  env: NodeJS.ProcessEnv,
  onStop: (stop: () => Promise<unknown>) => void,
): Promise<{ readonly url: string; readonly died?: Promise<Error> }> {
  if (config.store.kind === 'postgres') return { url: resolveSecret(config.store.url, { env, baseDir }) };
  const server = await startEmbeddedPostgres({ dataDir: join(dataDir, 'store'), database: 'sallyport', persistent: true });
  onStop(() => server.stop());
  return { url: server.url('sallyport'), died: server.exited.then(() => new Error('the embedded PostgreSQL of the read models ended')) };
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

function oidcProviders(config: Config): OidcProviderOptions[] {
  return config.identity.providers.flatMap((provider) => (provider.kind === 'oidc' ? [{ name: provider.name, ...provider.oidc }] : []));
}

function consoleLimits(limits: Limits): Partial<ConsoleLimits> {
  return {
    pageMaxRows: limits.consolePageMaxRows,
    pageScanMaxRows: limits.consolePageScanMaxRows,
    bodyMaxBytes: limits.consoleBodyMaxBytes,
    requestTimeoutMs: limits.consoleRequestTimeoutMs,
    maxConnections: limits.maxConsoleConnections,
    maxLiveClients: limits.maxLiveClients,
    maxLiveClientsPerPrincipal: limits.maxLiveClientsPerPrincipal,
    liveClientMaxBytes: limits.liveClientMaxBytes,
    exportMaxEvents: limits.exportMaxEvents,
    exportMaxBytes: limits.exportMaxBytes,
    maxExports: limits.maxExports,
  };
}

/** What people may know of the resources: where they are and how they are kept, nothing that opens them. */
function resourceInfos(config: Config): ResourceInfo[] {
  return config.resources.flatMap((resource) => {
    if (resource.kind !== 'postgres') return [];
    const { name, kind, address, labels, audit, credential } = resource;
    return [
      {
        name,
        kind,
        address: address.kind === 'unix' ? address.path : `${address.host}:${address.port}`,
        labels,
        profiles: credential.kind === 'postgres-role' ? Object.keys(credential.profiles) : [],
        audit,
      },
    ];
  });
}

/** The public halves of the keys in the data directory. */
async function verifierKeys(directory: string): Promise<VerifierKey[]> {
  const files = (await readdir(directory)).filter((file) => file.endsWith('.pub')).sort();
  const texts = await Promise.all(files.map((file) => readFile(join(directory, file), 'utf8')));
  return texts.flatMap((text) => [...parseVerifierKeys(text)]);
}

/** Which policy judges from here on is part of the record. */
async function activated(
  bus: Bus,
  { revision, bundle }: { readonly revision: string; readonly bundle: string },
  id: string,
): Promise<void> {
  const nowMs = Date.now();
  const { bytes } = controlEvent(
    { id: `${revision}:${nowMs}:${id}`, source: '/sallyport', subject: revision },
    'policy.activated',
    { revision, bundle, grants: revision },
    nowMs,
  );
  await bus.produce(TOPICS.control, [{ key: revision, value: bytes }]);
}
