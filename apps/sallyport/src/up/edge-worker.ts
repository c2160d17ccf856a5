import { join } from 'node:path';
import { createSecureContext } from 'node:tls';
import { readFileSync } from 'node:fs';
import type { MessagePort } from 'node:worker_threads';
import { connectBus } from '@sallyport/adapter-embedded-bus';
import { BusClient } from '@sallyport/adapter-nest-bus';
import { oidcIdentity, type OidcProviderOptions } from '@sallyport/adapter-oidc';
import type { Limits, ListenerConfig } from '@sallyport/config';
import { createEdge, type PostgresResource } from '@sallyport/edge';
import { loadOrCreateKey } from '@sallyport/events';
import type { LeasePort } from '@sallyport/lease';
import { AnnouncedServices } from '@sallyport/trust';
import { rosterOf } from './enrolment.js';
import { createLog } from './log.js';
import { type Policy, policyVerdicts } from './policy.js';
import { remoteVerdicts } from './remote-verdicts.js';
import { serveWorker } from './worker-link.js';

/** What the edge's thread is given. No administrator's credential is among it. */
export interface EdgeWorkerData {
  readonly bus: MessagePort;
  readonly name: string;
  /** Verifier keys of all services, a line each. */
  readonly roster: string;
  readonly installation: string;
  readonly version: string;
  readonly dataDir: string;
  readonly providers: readonly OidcProviderOptions[];
  readonly resources: readonly PostgresResource[];
  readonly listen: ListenerConfig;
  readonly policy: Policy;
  readonly decisions: 'local' | 'remote';
  readonly maskKey: Uint8Array;
  readonly limits: Limits;
  readonly logLevel: string;
}

serveWorker<EdgeWorkerData>(async (data) => {
  const { limits, listen } = data;
  const roster = rosterOf(data.roster);
  const log = createLog('edge', data.logLevel);
  const bus = connectBus(data.bus);
  const clients = { requestTimeoutMs: limits.busRequestTimeoutMs, maxOutstandingRequests: limits.maxBusRequests };
  const lease = new BusClient({ bus, service: 'lease', ...clients });
  const decide = new BusClient({ bus, service: 'decide', ...clients });
  await Promise.all([lease.connect(), decide.connect()]);
  const identity = oidcIdentity({ providers: data.providers, limits });
  const verdicts =
    data.decisions === 'local'
      ? await policyVerdicts(data.policy, limits, log)
      : await remoteVerdicts(data.policy, (input) => decide.request('decide', input, { timeoutMs: limits.decisionTimeoutMs }), limits);
  const edge = await createEdge({
    name: data.name,
    key: await loadOrCreateKey(join(data.dataDir, 'keys'), `edge/${data.name}`),
    roster,
    announced: new AnnouncedServices(roster),
    installation: data.installation,
    version: data.version,
    dataDir: data.dataDir,
    bus,
    identity,
    leases: busLeases(lease, limits.leaseTimeoutMs),
    verdicts,
    resources: data.resources,
    postgres: {
      host: listen.address.host,
      port: listen.address.port,
      auth: 'password',
      ...(listen.tls
        ? { tls: createSecureContext({ cert: readFileSync(listen.tls.cert), key: readFileSync(listen.tls.key), minVersion: 'TLSv1.2' }) }
        : {}),
    },
    ...(data.providers[0] ? { discoveryUrl: `${data.providers[0].issuer.replace(/\/$/, '')}/.well-known/openid-configuration` } : {}),
    maskKey: data.maskKey,
    limits,
    log,
    lost: (error) => {
      // Ends the thread, and with it everything: the next start recovers.
      setImmediate(() => {
        throw error;
      });
    },
  });
  return {
    listeners: () => edge.listeners,
    metrics: () => edge.metrics.registry.getMetricsAsJSON(),
    notReady: () => edge.notReady(),
    close: async () => {
      await edge.close();
      await Promise.all([lease.close(), decide.close()]);
      identity.close();
      await bus.close();
    },
  };
});

/** The vendor, asked over the bus. */
function busLeases(client: BusClient, timeoutMs: number): LeasePort {
  return {
    obtain: (request) => client.request('lease.obtain', request, { timeoutMs }),
    drop: async (id, resource) => {
      await client.request('lease.drop', { id, resource }, { timeoutMs });
    },
  };
}
