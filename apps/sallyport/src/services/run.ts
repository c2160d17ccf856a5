import { rm } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { DistrustMetrics, serveObservability } from '@sallyport/adapter-metrics';
import type { Config } from '@sallyport/config';
import type { Logger } from 'pino';
import { openKafka } from './bus.js';
import { startConsole } from './console.js';
import { startDecision } from './decision.js';
import { edgeSettings, startEdge } from './edge.js';
import { type Ground, oidcProviders, openRoster, rosterPath, serviceKey } from './ground.js';
import { installationOf } from './installation.js';
import { livePolicy } from './live-policy.js';
import { createLog } from './log.js';
import { asJson, BROKE, DONE, failed, untilSignal, writeWhole } from './process.js';
import { projectorSettings, startProjector } from './projector.js';
import { checkInstallation } from './same-installation.js';
import { type Service, Stops } from './service.js';
import { loadSettings, type Settings, SettingsError } from './settings.js';
import { type ReadModels, readModels, sharedReadModels } from './store.js';
import { startVendor } from './vendor.js';

export const SERVICES = ['edge', 'decision', 'vendor', 'projector', 'console'] as const;
export type ServiceName = (typeof SERVICES)[number];

export interface RunServiceOptions {
  /** Default ./sallyport.yaml. */
  readonly config?: string;
  readonly data?: string;
  readonly readyFile?: string;
  /** In place of the configuration's `name` and `edge.name`. */
  readonly name?: string;
}

/** Runs one service on Kafka until SIGTERM or SIGINT, drains it, and resolves with the exit code. */
export async function runService(service: ServiceName, options: RunServiceOptions): Promise<number> {
  process.umask(0o077);
  const log = createLog(service, process.env.SALLYPORT_LOG_LEVEL ?? 'warn');
  const stops = new Stops((error) => log.warn({ err: error }, 'a part did not stop cleanly'));
  const { readyFile } = options;
  let lose: (error: Error) => void = () => undefined;
  const lost = new Promise<Error>((resolve) => (lose = resolve));
  try {
    const settings = await settingsFor(options);
    const signal = untilSignal();
    const { running, died } = await start(service, settings, log, stops, lose);
    if (service === 'console') await writeWhole(join(settings.config.data, 'run.json'), asJson(running));
    if (readyFile !== undefined) await writeWhole(readyFile, asJson(running));
    process.stdout.write(
      `${service} is up.${Object.entries(running.listeners)
        .map(([name, address]) => ` ${name} ${address}`)
        .join(',')}\n`,
    );
    const ended = await Promise.race([signal, lost, ...(died ? [died] : [])]);
    if (ended instanceof Error) {
      log.error({ err: ended }, 'the service can not go on');
      process.stderr.write(`sallyport: the ${service} can not go on: ${ended.message}\n`);
    }
    await stops.run();
    return ended instanceof Error ? BROKE : DONE;
  } catch (error) {
    await stops.run();
    return failed(error);
  } finally {
    if (readyFile !== undefined) await rm(readyFile, { force: true });
  }
}

async function settingsFor({ config: path = 'sallyport.yaml', data, name }: RunServiceOptions): Promise<Settings> {
  if (!existsSync(path)) throw new SettingsError([`there is no configuration at ${path}: a service of its own needs one (--config)`]);
  const settings = await loadSettings({ config: { path }, ...(data === undefined ? {} : { data }), dev: false, env: process.env });
  if (settings.config.bus.kind !== 'kafka') {
    throw new SettingsError([`${path}: bus: embedded is inside of \`sallyport up\`; a service of its own needs bus: { kafka: … }`]);
  }
  return name === undefined ? settings : { ...settings, config: { ...settings.config, name, edge: { ...settings.config.edge, name } } };
}

interface Started {
  /** What the ready file says. */
  readonly running: {
    readonly service: ServiceName;
    readonly listeners: Service['listeners'];
    readonly policyRevision: string;
    readonly pid: number;
  };
  readonly died?: Promise<Error>;
}

async function start(name: ServiceName, settings: Settings, log: Logger, stops: Stops, lost: (error: Error) => void): Promise<Started> {
  const { config, baseDir, policy } = settings;
  const { env } = process;
  const installation = await installationOf(config, { env, baseDir });
  const own = await Promise.all(rolesOf(name).map((role) => serviceKey(config, role)));
  const roster = openRoster(rosterPath(config), own, log);
  if (config.bus.kind !== 'kafka') throw new Error('a service of its own needs Kafka');
  const bus = await openKafka(config.bus, { env, baseDir }, log);
  stops.push(() => bus.close());
  const live = await livePolicy({ bus, roster, configured: policy, log });
  stops.push(() => live.close());
  await checkInstallation(bus, roster, own[0]!.name, installation.id);
  const distrust = new DistrustMetrics();
  const providers = oidcProviders(config);
  const ground: Ground = { distrust, config, baseDir, env, policy, live, installation, bus, roster, providers, log };
  const { service, store } = await startOn(ground, name, lost, stops);
  stops.push(() => service.close());
  const metrics = await serveObservability({
    ...metricsAddress(config, name),
    sources: [() => service.metrics(), ...(name === 'edge' ? [] : [live.metrics]), () => distrust.registry.getMetricsAsJSON()],
    notReady: () => service.notReady(),
  });
  stops.push(() => metrics.close());
  return {
    running: {
      service: name,
      listeners: { ...service.listeners, metrics: metrics.address },
      policyRevision: live.current.policy.revision,
      pid: process.pid,
    },
    ...(store?.died ? { died: store.died } : {}),
  };
}

function rolesOf(name: ServiceName) {
  return name === 'projector' ? (['projector', 'ledger'] as const) : ([name] as const);
}

async function startOn(
  ground: Ground,
  name: ServiceName,
  lost: (error: Error) => void,
  stops: Stops,
): Promise<{ readonly service: Service; readonly store?: ReadModels }> {
  const { config, baseDir, env, bus, roster, live, log } = ground;
  switch (name) {
    case 'edge':
      return { service: await startEdge(edgeSettings(ground), { bus, roster, live, log, lost }) };
    case 'decision':
      return { service: await startDecision(ground) };
    case 'vendor':
      return { service: await startVendor(ground) };
    case 'projector': {
      const store = await readModels(config, baseDir, env);
      stops.push(() => store.stop());
      return { service: await startProjector(projectorSettings(ground, store.url), { bus, roster, log }), store };
    }
    case 'console': {
      const store = await sharedReadModels(config, baseDir, env);
      return { service: await startConsole(ground, { storeUrl: store.url }) };
    }
  }
}

/** One configuration serves all services of a machine: each has its own port, in the order of SERVICES, from `listen.metrics` on. */
function metricsAddress({ listen }: Config, name: ServiceName): { readonly host: string; readonly port: number } {
  const { host, port } = listen.metrics.address;
  return { host, port: port === 0 ? 0 : port + SERVICES.indexOf(name) };
}
