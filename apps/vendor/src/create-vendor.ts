import type { LoggerService } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { CustomTransportStrategy } from '@nestjs/microservices';
import type { PostgresRolesLimits } from '@sallyport/adapter-postgres-role';
import type { Bus } from '@sallyport/bus';
import { leaseBook, LeaseError, leaseVendor, type Vendor, type VendorLimits } from '@sallyport/lease';

import { follow, type Following, leaseRecord } from './lease-stream.js';
import { leaseSources, type VendorResource } from './sources.js';
import { VendorModule } from './vendor.module.js';

export interface VendorAppOptions {
  readonly bus: Bus;
  /** What the requests come in by: a Nest transport, as the bus's `BusServer`. */
  readonly transport: CustomTransportStrategy;
  readonly resources: readonly VendorResource[];
  /** 1 to 16 lower-case letters or digits, the same over restarts: in the name of every role that is made. */
  readonly installation: string;
  /** Its name among vendors, in the events' `source`. Default `main`. */
  readonly name?: string;
  readonly sweepIntervalMs?: number;
  /** How long a sweep waits for the lease stream before it is given up. */
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

/** Starts the vendor on a bus and a transport. Rejects with a `LeaseError` when the resources are wrong. */
export async function createVendor(options: VendorAppOptions): Promise<VendorApp> {
  const { bus, resources, clock = Date.now } = options;
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
  let following: Following | undefined;
  const vendor = leaseVendor({
    sources,
    book,
    record: leaseRecord(bus, `/vendor/${options.name ?? 'main'}`, clock),
    settled: async () => {
      if (!following) throw new LeaseError('LEASE_RECORD', 'the lease stream is not being read yet');
      return following.settled();
    },
    clock,
    onError,
    ...(options.limits ? { limits: options.limits } : {}),
  });
  following = await follow({
    bus,
    book,
    sinceMs: clock() - historyMs(resources),
    settleTimeoutMs: options.settleTimeoutMs ?? SETTLE_TIMEOUT_MS,
    onSessionOver: async (session) => vendor.sessionOver(session),
    onError,
  });
  const app = await NestFactory.createMicroservice(VendorModule.with(vendor, options.sweepIntervalMs ?? SWEEP_INTERVAL_MS), {
    strategy: options.transport,
    logger: options.logger ?? false,
  });
  await app.listen();
  return {
    sweep: async () => vendor.sweep(),
    async close() {
      await app.close();
      await following?.close();
      await Promise.all(sources.map((source) => source.close()));
    },
  };
}
