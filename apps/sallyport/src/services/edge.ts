import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import { BusClient } from '@sallyport/adapter-nest-bus';
import { oidcIdentity, type OidcProviderOptions } from '@sallyport/adapter-oidc';
import type { Bus } from '@sallyport/bus';
import type { Config, Limits, ListenerConfig } from '@sallyport/config';
import { createEdge, type PostgresResource } from '@sallyport/edge';
import type { LeasePort } from '@sallyport/lease';
import type { Logger } from 'pino';
import { type Ground, rosterPath } from './ground.js';
import type { LivePolicy } from './live-policy.js';
import { liveRemoteVerdicts, liveVerdicts } from './live-verdicts.js';
import type { Policy } from './policy.js';
import { type Service, Stops } from './service.js';
import { edgeResources } from './targets.js';

/** What an edge is told. No administrator's credential is among it, and all of it can be handed to a thread. */
export interface EdgeSettings {
  readonly name: string;
  readonly dataDir: string;
  readonly providers: readonly OidcProviderOptions[];
  readonly resources: readonly PostgresResource[];
  readonly listen: ListenerConfig;
  /** As configured. */
  readonly policy: Policy;
  /** File or directory of the enrolled keys. */
  readonly roster: string;
  readonly decisions: Config['policy']['decisions'];
  readonly maskKey: Uint8Array;
  readonly limits: Limits;
}

export function edgeSettings({ config, policy, providers, installation }: Omit<Ground, 'bus' | 'roster' | 'live'>): EdgeSettings {
  return {
    name: config.edge.name,
    dataDir: config.data,
    providers,
    resources: edgeResources(config),
    listen: config.listen.postgres,
    policy,
    roster: rosterPath(config),
    decisions: config.policy.decisions,
    maskKey: installation.maskKey,
    limits: config.limits,
  };
}

export interface EdgeParts {
  readonly bus: Bus;
  readonly live: LivePolicy;
  readonly log: Logger;
  /** The disk lost records: the edge has to end (ADR 5). */
  readonly lost: (error: Error) => void;
}

/** The data path on a bus: listeners, sessions, spool; policy and credentials asked over the bus. */
export async function startEdge(settings: EdgeSettings, { bus, live, log, lost }: EdgeParts): Promise<Service> {
  const { limits, listen, providers } = settings;
  const stops = new Stops((error) => log.warn({ err: error }, 'a part did not stop cleanly'));
  try {
    const clients = { requestTimeoutMs: limits.busRequestTimeoutMs, maxOutstandingRequests: limits.maxBusRequests };
    const lease = new BusClient({ bus, service: 'lease', ...clients });
    const decide = new BusClient({ bus, service: 'decide', ...clients });
    stops.push(() => Promise.all([lease.close(), decide.close()]));
    await Promise.all([lease.connect(), decide.connect()]);
    const identity = oidcIdentity({ providers, limits });
    stops.push(() => identity.close());
    const verdicts =
      settings.decisions === 'local'
        ? liveVerdicts(live, limits, log)
        : liveRemoteVerdicts(live, (input) => decide.request('decide', input, { timeoutMs: limits.decisionTimeoutMs }), limits);
    const edge = await createEdge({
      name: settings.name,
      dataDir: settings.dataDir,
      bus,
      identity,
      leases: busLeases(lease, limits.leaseTimeoutMs),
      verdicts,
      resources: settings.resources,
      postgres: {
        ...listen.address,
        auth: 'password',
        ...(listen.tls
          ? { tls: createSecureContext({ cert: readFileSync(listen.tls.cert), key: readFileSync(listen.tls.key), minVersion: 'TLSv1.2' }) }
          : {}),
      },
      ...(providers[0] ? { discoveryUrl: `${providers[0].issuer.replace(/\/$/, '')}/.well-known/openid-configuration` } : {}),
      maskKey: settings.maskKey,
      limits,
      log,
      lost,
    });
    stops.push(() => edge.close());
    return {
      listeners: edge.listeners,
      metrics: async () => [...(await edge.metrics.registry.getMetricsAsJSON()), ...(await live.metrics())],
      notReady: () => edge.notReady(),
      close: () => stops.run(),
    };
  } catch (error) {
    await stops.run();
    throw error;
  }
}

/** The vendor, asked over the bus. */
function busLeases(client: BusClient, timeoutMs: number): LeasePort {
  return {
    obtain: (request) => client.request('lease.obtain', request, { timeoutMs }),
    drop: async (id, resource) => {
      await client.request('lease.drop', { id, resource }, { timeoutMs });
    },
  };
}
