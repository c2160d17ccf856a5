import { randomBytes } from 'node:crypto';

import type { LeaseBook } from './book.js';
import { type Ended, type EndLimits, leaseEnds, type LeaseRecord, recorded } from './ends.js';
import { LeaseError } from './errors.js';
import type { LeaseJudge } from './judge.js';
import { LANE_LIMITS, type LaneLimits, lanes } from './lanes.js';
import type { Lease, LeaseGrant, SealedLeaseRequest } from './lease.js';
import { checkLeaseDrop, checkLeaseRequest } from './request.js';
import { checkSessionKey, seal } from './seal.js';
import type { LeaseSource } from './source.port.js';
import { sweepAll, type SweepCount } from './sweep.js';

export interface VendorLimits extends EndLimits, LaneLimits {
  /** Leases that are live at one time. */
  readonly maxLeases: number;
  /** How far the clocks of services may be apart. */
  readonly clockSkewMs: number;
  /** How long identity and policy may take for one lease. */
  readonly judgeTimeoutMs: number;
}

export const VENDOR_LIMITS: VendorLimits = {
  ...LANE_LIMITS,
  maxLeases: 20_000,
  dropTries: 3,
  dropPauseMs: 200,
  recordGraceMs: 2000,
  clockSkewMs: 5 * 60_000,
  judgeTimeoutMs: 5000,
};

export interface VendorOptions {
  readonly sources: readonly LeaseSource[];
  readonly judge: LeaseJudge;
  readonly book: LeaseBook;
  readonly record: LeaseRecord;
  /** Resolves when the book holds every lease that was on record before the call. What can't wait for it is not done. */
  readonly settled: () => Promise<void>;
  readonly limits?: Partial<VendorLimits>;
  readonly clock?: () => number;
  /** Told of what went wrong where nobody waits for an answer. */
  readonly onError?: (error: unknown, lease?: Ended) => void;
}

/** Issues and drops leases. What it takes in has come over the bus, and is checked. `edge` is who asks, when the transport knows. */
export interface Vendor {
  /** Rejects with a `LeaseError`; then there is no credential, or the next sweep ends it. */
  obtain(request: unknown, edge?: string): Promise<LeaseGrant>;
  drop(request: unknown, edge?: string): Promise<void>;
  /** `edge` says that its session is over: drops what it holds, even if nobody asks. Resolves when that was tried. Never rejects. */
  sessionOver(session: string, edge: string): Promise<void>;
  /** Drops at every target what is not live or has expired. Never rejects. */
  sweep(): Promise<SweepCount>;
}

const ID_BYTES = 16;

/**
 * The order is the promise (P4): first the record, from whose id the role's name follows, then the role. A process that is killed
 * in between leaves a record without a role, never a role without a record; and a role whose lease is not live is swept.
 */
export function leaseVendor(options: VendorOptions): Vendor {
  const { judge, book, record, settled, clock = Date.now, onError = () => undefined } = options;
  const limits = { ...VENDOR_LIMITS, ...options.limits };
  const sources = new Map(options.sources.map((source) => [source.resource, source]));
  const ends = leaseEnds({ book, record, limits, onError });
  const targets = lanes(limits);
  /** Sessions whose lease is being made. */
  const obtaining = new Set<string>();
  let sweeping: Promise<SweepCount> | undefined;

  const sourceOf = (resource: string): LeaseSource => {
    const source = sources.get(resource);
    if (!source) throw new LeaseError('LEASE_RESOURCE_UNKNOWN', 'nobody vends for this resource');
    return source;
  };

  const over = () => new LeaseError('LEASE_SESSION_OVER', 'the session is over');
  const leased = () => new LeaseError('LEASE_SESSION_LEASED', 'the session has had its lease');

  /**
   * The same request may have gone to two replicas, and neither knew of the other's when it began. Both have written by now or will
   * read the other's: at least one of two sees the other, and whoever does gives way.
   */
  const isOnlyOne = async ({ session, id }: Lease): Promise<void> => {
    await settled();
    if (book.wasLeased(session, id)) throw leased();
  };

  const make = async (source: LeaseSource, request: SealedLeaseRequest, holder: string | undefined): Promise<LeaseGrant> => {
    await checkSessionKey(request.publicKey);
    const order = await judge(request);
    const { session } = order;
    // Either may have been heard of while that was judged.
    if (book.isSessionOver(session, holder)) throw over();
    if (book.wasLeased(session)) throw leased();
    const lease: Lease = { ...source.plan(randomBytes(ID_BYTES).toString('hex'), order), ...(holder === undefined ? {} : { holder }) };
    book.issued(lease);
    try {
      await recorded(record.issued(lease));
    } catch (error) {
      book.ended(lease.id);
      throw error;
    }
    try {
      if (book.isSessionOver(session, holder)) throw over();
      const [secret] = await Promise.all([source.create(lease, order), isOnlyOne(lease)]);
      // It may have ended while the role was made; whoever saw it then found no role.
      if (book.isSessionOver(session, holder)) throw over();
      const sealed = await seal(secret, order.publicKey, { session, lease: lease.id });
      return { lease, sealed, expiresInMs: lease.expiresAtMs - clock() };
    } catch (error) {
      await ends.failed(lease, error);
      // Not waited for by the edge: its session has failed already.
      void ends.end(source, lease.id, 'dropped').catch(() => undefined);
      throw error;
    }
  };

  return {
    async obtain(value, edge) {
      const request = checkLeaseRequest(value);
      const { session, resource } = request;
      const source = sourceOf(resource);
      if (book.isSessionOver(session, edge)) throw over();
      if (obtaining.has(session) || book.wasLeased(session)) throw leased();
      if (book.size + obtaining.size >= limits.maxLeases) {
        throw new LeaseError('LEASE_LIMIT', `more than ${limits.maxLeases} leases are live`);
      }
      obtaining.add(session);
      try {
        return await make(source, request, edge);
      } finally {
        obtaining.delete(session);
      }
    },

    async drop(value, edge) {
      const { id, resource } = checkLeaseDrop(value);
      const source = sourceOf(resource);
      if (book.hasEnded(id)) return;
      // Another replica may have made it a moment ago.
      if (!book.get(id)) await settled();
      const lease = book.get(id);
      if (lease && lease.resource !== resource) throw new LeaseError('LEASE_REQUEST_INVALID', 'the lease is for another resource');
      if (lease?.holder !== undefined && edge !== undefined && lease.holder !== edge) {
        throw new LeaseError('LEASE_NOT_HOLDER', 'the lease is held by another edge');
      }
      await ends.end(source, id, 'dropped');
    },

    async sessionOver(session, edge) {
      const held = book.sessionOver(session, edge);
      await Promise.all(
        held.map(async ({ id, resource }) => {
          const source = sources.get(resource);
          if (source) await targets.run(resource, () => ends.end(source, id, 'dropped'));
        }),
      );
    },

    async sweep() {
      sweeping ??= sweepAll({
        sources,
        book,
        ends,
        settled,
        expiredBeforeMs: () => clock() - limits.clockSkewMs,
        onError,
      }).finally(() => {
        sweeping = undefined;
      });
      return sweeping;
    },
  };
}
