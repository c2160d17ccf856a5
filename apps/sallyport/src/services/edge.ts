import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import { oidcIdentity, type OidcProviderOptions } from '@sallyport/adapter-oidc';
import type { Bus } from '@sallyport/bus';
import type { Config, Limits, ListenerConfig } from '@sallyport/config';
import { createEdge, type PostgresResource } from '@sallyport/edge';
import type { Logger } from 'pino';
import { AnnouncedServices, type Roster } from '@sallyport/trust';
import { version } from '../version.js';
import { asking } from './asking.js';
import { busLeases } from './bus-leases.js';
import { type Ground, type Place, placeOf, serviceKey } from './ground.js';
import type { LivePolicy } from './live-policy.js';
import type { Policy } from './policy.js';
import { partByPart, type Service } from './service.js';
import { edgeResources } from './targets.js';
import { openVerdicts } from './verdicts.js';

/** What an edge is told. No administrator's credential is among it, and all of it can be handed to a thread. */
export interface EdgeSettings {
  readonly place: Place;
  /** Id of the installation. */
  readonly installation: string;
  readonly providers: readonly OidcProviderOptions[];
  readonly resources: readonly PostgresResource[];
  readonly listen: ListenerConfig;
  /** As configured. */
  readonly policy: Policy;
  readonly decisions: Config['policy']['decisions'];
  readonly maskKey: Uint8Array;
  readonly limits: Limits;
}

export function edgeSettings({ config, policy, providers, installation }: Omit<Ground, 'bus' | 'roster' | 'live'>): EdgeSettings {
  return {
    place: placeOf(config),
    installation: installation.id,
    providers,
    resources: edgeResources(config),
    listen: config.listen.postgres,
    policy,
    decisions: config.policy.decisions,
    maskKey: installation.maskKey,
    limits: config.limits,
  };
}

export interface EdgeParts {
  readonly bus: Bus;
  /** With the edge's own key in it. */
  readonly roster: Roster;
  readonly live: LivePolicy;
  readonly log: Logger;
  /** The disk lost records: the edge has to end (ADR 5). */
  readonly lost: (error: Error) => void;
}

/** The data path on a bus: listeners, sessions, spool; policy and credentials asked over the bus. */
export async function startEdge(settings: EdgeSettings, { bus, roster, live, log, lost }: EdgeParts): Promise<Service> {
  const { limits, listen, providers } = settings;
  return partByPart(log, async (stops) => {
    const key = await serviceKey(settings.place, 'edge');
    const party = { bus, key, roster, log };
    const lease = await asking('lease', party, limits);
    stops.push(() => lease.close());
    const policy = await openVerdicts(settings.decisions, live, party, limits);
    stops.push(() => policy.close());
    const announced = new AnnouncedServices(roster);
    const identity = oidcIdentity({ providers, limits });
    stops.push(() => identity.close());
    const edge = await createEdge({
      name: settings.place.edge.name,
      key,
      roster,
      announced,
      installation: settings.installation,
      version: version(),
      dataDir: settings.place.data,
      bus,
      identity,
      leases: busLeases({
        request: (pattern, data, options) => lease.request(pattern, data, options),
        sealKeys: () => announced.sealKeys('vendor'),
        timeoutMs: limits.leaseTimeoutMs,
      }),
      verdicts: policy.verdicts,
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
  });
}
