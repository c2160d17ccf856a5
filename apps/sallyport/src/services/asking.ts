import { BusClient, type BusClientOptions, BusServer, type RequestService } from '@sallyport/adapter-nest-bus';
import type { Bus } from '@sallyport/bus';
import type { Limits } from '@sallyport/config';
import type { SigningKey } from '@sallyport/events';
import type { Role, Roster } from '@sallyport/trust';
import type { Logger } from 'pino';
import { logDistrusted } from './log-distrusted.js';

/** Who may ask which service for what. */
export const CALLERS = {
  lease: { 'lease.obtain': ['edge'], 'lease.drop': ['edge'] },
  decide: { decide: ['edge', 'vendor'], 'approval.answer': ['console'] },
  projector: { 'projections.status': ['console'], 'projections.rebuild': ['console'] },
} as const satisfies Readonly<Record<RequestService, Readonly<Record<string, readonly Role[]>>>>;

/** Somebody on the bus: what a client or a server signs with, and whom it believes. */
export interface Party {
  readonly bus: Bus;
  readonly key: SigningKey;
  readonly roster: Roster;
  readonly log: Logger;
}

/** What a service is asked by. */
export function serving(service: RequestService, { bus, key, roster, log }: Party, { maxRunningRequests }: Limits): BusServer {
  return new BusServer({
    bus,
    service,
    key,
    roster,
    callers: CALLERS[service],
    maxRunningRequests,
    onDistrusted: logDistrusted(log),
    onError: (error) => log.warn({ err: error, requests: service }, 'requests over the bus are in trouble'),
  });
}

/** A client of a service, connected. */
export async function asking(
  service: RequestService,
  { bus, key, roster, log }: Party,
  limits: Limits,
  more: Partial<Pick<BusClientOptions, 'requestTimeoutMs'>> = {},
): Promise<BusClient> {
  const client = new BusClient({
    bus,
    service,
    key,
    roster,
    requestTimeoutMs: limits.busRequestTimeoutMs,
    maxOutstandingRequests: limits.maxBusRequests,
    onDistrusted: logDistrusted(log),
    ...more,
  });
  await client.connect();
  return client;
}
