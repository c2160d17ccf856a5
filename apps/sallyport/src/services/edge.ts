import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import type { BusClient } from '@sallyport/adapter-nest-bus';
import { oidcIdentity, type OidcProviderOptions } from '@sallyport/adapter-oidc';
import type { Bus } from '@sallyport/bus';
import type { Config, Limits, ListenerConfig } from '@sallyport/config';
import { createEdge, type PostgresResource } from '@sallyport/edge';
import type { LeasePort } from '@sallyport/lease';
import type { Logger } from 'pino';
import { asking } from './asking.js';
import { type Ground, type Place, placeOf, trustOf } from './ground.js';
import { type Policy, policyVerdicts } from './policy.js';
import { remoteVerdicts } from './remote-verdicts.js';
import { type Service, Stops } from './service.js';
import { edgeResources } from './targets.js';

/** A decision that has no answer after this part of its time is asked again, of another decision service if there is one. */
const RESENDS = 8;

/** What an edge is told. No administrator's credential is among it, and all of it can be handed to a thread. */
export interface EdgeSettings {
  readonly place: Place;
  readonly providers: readonly OidcProviderOptions[];
  readonly resources: readonly PostgresResource[];
  readonly listen: ListenerConfig;
  readonly policy: Policy;
  readonly decisions: Config['policy']['decisions'];
  readonly maskKey: Uint8Array;
  readonly limits: Limits;
}

export function edgeSettings({ config, policy, providers, installation }: Omit<Ground, 'bus' | 'roster'>): EdgeSettings {
  return {
    place: placeOf(config),
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
  readonly log: Logger;
  /** The disk lost records: the edge has to end (ADR 5). */
  readonly lost: (error: Error) => void;
}

/** The data path on a bus: listeners, sessions, spool; policy and credentials asked over the bus. */
export async function startEdge(settings: EdgeSettings, { bus, log, lost }: EdgeParts): Promise<Service> {
  const { limits, listen, providers, policy } = settings;
  const stops = new Stops((error) => log.warn({ err: error }, 'a part did not stop cleanly'));
  try {
    const { key, roster } = await trustOf(settings.place, 'edge', log);
    const party = { bus, key, roster, log };
    const lease = await asking('lease', party, limits);
    stops.push(() => lease.close());
    const decide = await asking('decide', party, limits);
    stops.push(() => decide.close());
    const identity = oidcIdentity({ providers, limits });
    stops.push(() => identity.close());
    const verdicts =
      settings.decisions === 'local'
        ? await policyVerdicts(policy, limits, log)
        : await remoteVerdicts(
            policy,
            (input) =>
              decide.request('decide', input, { timeoutMs: limits.decisionTimeoutMs, resendAfterMs: limits.decisionTimeoutMs / RESENDS }),
            limits,
          );
    const edge = await createEdge({
      name: settings.place.edge.name,
      dataDir: settings.place.data,
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
      metrics: () => edge.metrics.registry.getMetricsAsJSON(),
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
