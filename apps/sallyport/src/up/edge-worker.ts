import { createSecureContext } from 'node:tls';
import { readFileSync } from 'node:fs';
import type { MessagePort } from 'node:worker_threads';
import { connectBus } from '@sallyport/adapter-embedded-bus';
import { BusClient } from '@sallyport/adapter-nest-bus';
import { oidcIdentity, type OidcProviderOptions } from '@sallyport/adapter-oidc';
import type { Limits, ListenerConfig } from '@sallyport/config';
import { createEdge, type PostgresResource } from '@sallyport/edge';
import { parseVerifierKeys } from '@sallyport/events';
import { fixedRoster } from '@sallyport/trust';
import { followAnnounced } from './announced.js';
import { busLeases } from './bus-leases.js';
import { createLog } from './log.js';
import { type Policy, policyVerdicts } from './policy.js';
import { remoteVerdicts } from './remote-verdicts.js';
import { serveWorker } from './worker-link.js';

/** What the edge's thread is given. No administrator's credential is among it. */
export interface EdgeWorkerData {
  readonly bus: MessagePort;
  readonly name: string;
  readonly dataDir: string;
  /** Verifier keys of this installation's services, one a line. */
  readonly roster: string;
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
  const announced = await followAnnounced(bus, fixedRoster(parseVerifierKeys(data.roster)), (error) =>
    log.error({ err: error }, 'who is there can not be followed'),
  );
  const edge = await createEdge({
    name: data.name,
    dataDir: data.dataDir,
    bus,
    identity,
    leases: busLeases({
      request: (pattern, payload, options) => lease.request(pattern, payload, options),
      sealKeys: () => announced.services.sealKeys('vendor'),
      timeoutMs: limits.leaseTimeoutMs,
    }),
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
      await Promise.all([lease.close(), decide.close(), announced.reading.close()]);
      identity.close();
      await bus.close();
    },
  };
});
