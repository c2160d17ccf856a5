import { randomBytes } from 'node:crypto';

import type { LeaseBook } from './book.js';
import { LeaseError } from './errors.js';
import type { Lease, LeaseGrant } from './lease.js';
import { checkLeaseDrop, checkLeaseRequest } from './request.js';
import { checkSessionKey, seal } from './seal.js';
import type { LeaseSource } from './source.port.js';

export interface VendorLimits {
  /** Leases that are live at one time. */
  readonly maxLeases: number;
  readonly dropTries: number;
  /** Pause before the second try; doubles. */
  readonly dropPauseMs: number;
}

export const VENDOR_LIMITS: VendorLimits = { maxLeases: 20_000, dropTries: 3, dropPauseMs: 200 };

type Ended = Pick<Lease, 'id' | 'resource' | 'login'>;

/** Writes to the lease stream; resolves when it is durable. Never given a secret. */
export interface LeaseRecord {
  issued(lease: Lease): Promise<void>;
  dropped(lease: Ended): Promise<void>;
  swept(lease: Ended): Promise<void>;
  failed(lease: Ended & { readonly code: string }): Promise<void>;
}

export interface VendorOptions {
  readonly sources: readonly LeaseSource[];
  readonly book: LeaseBook;
  readonly record: LeaseRecord;
  /** Resolves when the book holds every lease that was on record before the call. A sweep that can't wait for it is not done. */
  readonly settled: () => Promise<void>;
  readonly limits?: Partial<VendorLimits>;
  readonly clock?: () => number;
  /** Told of what went wrong where nobody waits for an answer. */
  readonly onError?: (error: unknown, lease?: Ended) => void;
}

export interface SweepCount {
  readonly swept: number;
  readonly failed: number;
}

/** Issues and drops leases. What it takes in has come over the bus, and is checked. */
export interface Vendor {
  /** Rejects with a `LeaseError`; then there is no credential, or the next sweep ends it. */
  obtain(request: unknown): Promise<LeaseGrant>;
  drop(request: unknown): Promise<void>;
  /** The session is over: drops what it holds, even if nobody asks. Never rejects. */
  sessionOver(session: string): Promise<void>;
  /** Drops at every target what is not live or has expired. Never rejects. */
  sweep(): Promise<SweepCount>;
}

const ID_BYTES = 16;

function codeOf(error: unknown): string {
  return error instanceof LeaseError ? error.code : 'LEASE_TARGET';
}

/**
 * The order is the promise (P4): first the record, from whose id the role's name follows, then the role. A process that is killed
 * in between leaves a record without a role, never a role without a record; and a role whose lease is not live is swept.
 */
export function leaseVendor(options: VendorOptions): Vendor {
  const { book, record, clock = Date.now, onError = () => undefined } = options;
  const limits = { ...VENDOR_LIMITS, ...options.limits };
  const sources = new Map(options.sources.map((source) => [source.resource, source]));
  const dropping = new Map<string, Promise<void>>();
  /** Failures that are on record already: a target that stays away is not recorded at each sweep. */
  const reported = new Map<string, string>();
  let obtaining = 0;
  let sweeping: Promise<SweepCount> | undefined;

  const sourceOf = (resource: string): LeaseSource => {
    const source = sources.get(resource);
    if (!source) throw new LeaseError('LEASE_RESOURCE_UNKNOWN', 'nobody vends for this resource');
    return source;
  };

  const written = async (write: Promise<void>): Promise<void> => {
    try {
      await write;
    } catch (cause) {
      throw new LeaseError('LEASE_RECORD', 'the lease could not be recorded', { cause });
    }
  };

  const reportFailure = async (ended: Ended, error: unknown): Promise<void> => {
    const code = codeOf(error);
    onError(error, ended);
    if (reported.get(ended.id) === code) return;
    if (reported.size >= limits.maxLeases) reported.clear();
    reported.set(ended.id, code);
    await record
      .failed({ id: ended.id, resource: ended.resource, login: ended.login, code })
      .catch((failed: unknown) => onError(failed, ended));
  };

  const dropWithRetries = async (source: LeaseSource, id: string): Promise<void> => {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await source.drop(id);
      } catch (error) {
        if (attempt >= limits.dropTries) throw error;
        await new Promise((resolve) => setTimeout(resolve, limits.dropPauseMs * 2 ** (attempt - 1)));
      }
    }
  };

  const finish = async (lease: Ended, how: 'dropped' | 'swept'): Promise<void> => {
    book.ended(lease.id);
    reported.delete(lease.id);
    await written(record[how]({ id: lease.id, resource: lease.resource, login: lease.login }));
  };

  const end = (source: LeaseSource, id: string, how: 'dropped' | 'swept'): Promise<void> => {
    const running = dropping.get(id);
    if (running) return running;
    const lease = book.get(id);
    book.ending(id);
    const work = (async () => {
      try {
        await dropWithRetries(source, id);
      } catch (error) {
        // It stays in the book as ending: not live, so the next sweep tries again.
        if (lease) await reportFailure(lease, error);
        throw error;
      }
      // One that isn't in the book was ended before, and its end is on record.
      if (lease && book.get(id)) await finish(lease, how);
    })().finally(() => dropping.delete(id));
    dropping.set(id, work);
    return work;
  };

  const make = async (source: LeaseSource, request: ReturnType<typeof checkLeaseRequest>): Promise<LeaseGrant> => {
    await checkSessionKey(request.publicKey);
    const lease = source.plan(randomBytes(ID_BYTES).toString('hex'), request);
    book.issued(lease);
    try {
      await written(record.issued(lease));
    } catch (error) {
      book.ended(lease.id);
      throw error;
    }
    try {
      const secret = await source.create(lease, request);
      // It may have ended while the role was made; whoever saw it then found no role.
      if (book.isSessionOver(lease.session)) throw new LeaseError('LEASE_SESSION_OVER', 'the session is over');
      return { lease, sealed: await seal(secret, request.publicKey, { session: lease.session, lease: lease.id }) };
    } catch (error) {
      await reportFailure(lease, error);
      // Not waited for by the edge: its session has failed already.
      void end(source, lease.id, 'dropped').catch(() => undefined);
      throw error;
    }
  };

  const sweepSource = async (source: LeaseSource): Promise<SweepCount> => {
    const { swept, failed } = await source.sweep((id) => book.isLive(id), options.settled);
    for (const { id, login } of swept) {
      // A drop that was under way at the same time records the end itself.
      if (!dropping.has(id) && !book.hasEnded(id)) await finish({ id, login, resource: source.resource }, 'swept');
    }
    for (const { id, login, code } of failed) {
      await reportFailure(
        { id, login, resource: source.resource },
        new LeaseError(code as LeaseError['code'], 'an orphan could not be dropped'),
      );
    }
    return { swept: swept.length, failed: failed.length };
  };

  const sweepAll = async (): Promise<SweepCount> => {
    let swept = 0;
    let failed = 0;
    for (const source of sources.values()) {
      try {
        const count = await sweepSource(source);
        swept += count.swept;
        failed += count.failed;
      } catch (error) {
        failed += 1;
        onError(error);
      }
    }
    for (const lease of book.expired(clock())) {
      const source = sources.get(lease.resource);
      try {
        if (source) await end(source, lease.id, 'swept');
        swept += source ? 1 : 0;
      } catch (error) {
        failed += 1;
        onError(error, lease);
      }
    }
    return { swept, failed };
  };

  return {
    async obtain(value) {
      const request = checkLeaseRequest(value);
      const source = sourceOf(request.resource);
      if (book.isSessionOver(request.session)) throw new LeaseError('LEASE_SESSION_OVER', 'the session is over');
      if (book.size + obtaining >= limits.maxLeases) throw new LeaseError('LEASE_LIMIT', `more than ${limits.maxLeases} leases are live`);
      obtaining += 1;
      try {
        return await make(source, request);
      } finally {
        obtaining -= 1;
      }
    },

    async drop(value) {
      const { id, resource } = checkLeaseDrop(value);
      await end(sourceOf(resource), id, 'dropped');
    },

    async sessionOver(session) {
      await Promise.all(
        book.sessionOver(session).map(async (lease) => {
          const source = sources.get(lease.resource);
          if (source) await end(source, lease.id, 'dropped').catch(() => undefined);
        }),
      );
    },

    async sweep() {
      sweeping ??= sweepAll().finally(() => {
        sweeping = undefined;
      });
      return sweeping;
    },
  };
}
