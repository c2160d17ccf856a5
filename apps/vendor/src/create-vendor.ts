import type { LoggerService } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { CustomTransportStrategy } from '@nestjs/microservices';
import type { PostgresRolesLimits } from '@sallyport/adapter-postgres-role';
import type { Bus } from '@sallyport/bus';
import type { SigningKey } from '@sallyport/events';
import type { IdentityPort } from '@sallyport/identity';
import { leaseBook, LeaseError, leaseVendor, type Vendor, VENDOR_LIMITS, type VendorLimits } from '@sallyport/lease';
import type { Roster } from '@sallyport/trust';
import type { VerdictPort } from '@sallyport/verdict';

import { vendorJudge } from './judge.js';
import { followLeases, leaseRecord } from './lease-stream.js';
import { followRevoked } from './revoked.js';
import { followSessionEnds } from './session-ends.js';
import { leaseSources, type VendorResource } from './sources.js';
import { VendorModule } from './vendor.module.js';

export interface VendorAppOptions {
  readonly bus: Bus;
  /** What the requests come in by: a Nest transport, as the bus's `BusServer`. */
  readonly transport: CustomTransportStrategy;
  /** Its own, `vendor/NAME`: signs what it writes, and opens what edges seal to it. */
  readonly key: SigningKey;
  /** Who belongs to this installation. */
  readonly roster: Roster;
  /** Knows the same issuers as the edges'. It had better take tokens `limits.clockSkewMs` too early and too late (`skewMs` of the OIDC adapter). */
  readonly identity: IdentityPort;
  readonly verdicts: VerdictPort;
  readonly resources: readonly VendorResource[];
  /** 1 to 16 lower-case letters or digits, the same over restarts and for all replicas: in the name of every role that is made. */
  readonly installation: string;
  /** By how much the issuer's clock and the console's may differ: a token must be that much younger than a revocation to count as new. */
  readonly revocationSkewMs: number;
  readonly sweepIntervalMs?: number;
  /** How long whatever needs the whole lease stream waits for it before it is given up. */
  readonly settleTimeoutMs?: number;
  readonly limits?: Partial<VendorLimits>;
  readonly roleLimits?: Partial<PostgresRolesLimits>;
  /** Of Nest. Default: none. */
  readonly logger?: LoggerService | false;
  /** Told of what went wrong where nobody waits for an answer. Holds no secret. */
  readonly onError?: (code: string, message: string) => void;
  readonly clock?: () => number;
}

export interface VendorApp {
  /** Sweeps now, beside the interval. */
  sweep: Vendor['sweep'];
  /** Takes no more requests, waits for what is under way. Roles of live leases stay. */
  close(): Promise<void>;
}

const SWEEP_INTERVAL_MS = 30_000;
const SETTLE_TIMEOUT_MS = 10_000;
/** Clocks of writers may differ by this much, and a session's end may be that late on the bus. */
const HISTORY_MARGIN_MS = 10 * 60_000;
const STATIC_HISTORY_MS = 24 * 3_600_000;

/** How far back a lease can have been issued that is live still. */
function historyMs(resources: readonly VendorResource[]): number {
  const ttls = resources.map(({ credential }) => (credential.kind === 'postgres-role' ? credential.ttlMs : STATIC_HISTORY_MS));
  return Math.max(0, ...ttls) + HISTORY_MARGIN_MS;
}

/** Starts one of any number of vendors on a bus and a transport. Rejects with a `LeaseError` when the resources are wrong. */
export async function createVendor(options: VendorAppOptions): Promise<VendorApp> {
  const { bus, key, roster, identity, verdicts, resources, clock = Date.now } = options;
  const limits = { ...VENDOR_LIMITS, ...options.limits };
  const onError = (error: unknown) => {
    const code = error instanceof LeaseError ? error.code : 'UNEXPECTED';
    options.onError?.(code, error instanceof Error ? error.message : 'unknown');
  };
  const sources = await leaseSources(resources, {
    installation: options.installation,
    clock,
    ...(options.roleLimits ? { limits: options.roleLimits } : {}),
  });
  const book = leaseBook();
  const sinceMs = clock() - historyMs(resources);
  const { revocations, reading: revoked } = await followRevoked({ bus, roster, skewMs: options.revocationSkewMs, onError });
  const leases = await followLeases({
    bus,
    roster,
    book,
    sinceMs,
    settleTimeoutMs: options.settleTimeoutMs ?? SETTLE_TIMEOUT_MS,
    onError,
  });
  const vendor = leaseVendor({
    sources,
    judge: vendorJudge({ key, identity, verdicts, revocations, resources, limits, clock }),
    book,
    record: leaseRecord(bus, key, clock),
    settled: () => leases.settled(),
    clock,
    onError,
    limits,
  });
  const ends = await followSessionEnds({ bus, roster, book, vendor, settled: () => leases.settled(), sinceMs, onError });
  const app = await NestFactory.createMicroservice(VendorModule.with(vendor, options.sweepIntervalMs ?? SWEEP_INTERVAL_MS), {
    strategy: options.transport,
    logger: options.logger ?? false,
  });
  await app.listen();
  return {
    sweep: async () => vendor.sweep(),
    async close() {
      await app.close();
      await Promise.all([ends.close(), leases.close(), revoked.close()]);
      await Promise.all(sources.map((source) => source.close()));
    },
  };
}
