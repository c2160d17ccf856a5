import { setTimeout as sleep } from 'node:timers/promises';

import type { LeaseBook } from './book.js';
import { LeaseError } from './errors.js';
import type { Lease } from './lease.js';
import type { LeaseSource } from './source.port.js';

/** Of a lease, what its end is recorded with. */
export type Ended = Pick<Lease, 'id' | 'resource' | 'login'>;

/** Writes to the lease stream; resolves when it is durable. Never given a secret. */
export interface LeaseRecord {
  issued(lease: Lease): Promise<void>;
  dropped(lease: Ended): Promise<void>;
  swept(lease: Ended): Promise<void>;
  failed(lease: Ended & { readonly code: string }): Promise<void>;
}

export interface EndLimits {
  readonly dropTries: number;
  /** Pause before the second try; doubles. */
  readonly dropPauseMs: number;
  /** How long a replica that finds a credential gone waits for the one that has ended it to say so. */
  readonly recordGraceMs: number;
  /** Failures that are remembered as recorded. */
  readonly maxLeases: number;
}

export interface EndOptions {
  readonly book: LeaseBook;
  readonly record: LeaseRecord;
  readonly limits: EndLimits;
  readonly onError: (error: unknown, lease?: Ended) => void;
}

/** How leases end: at the target first, then on record. */
export interface Ends {
  /**
   * One end of a lease at a time; rejects with a `LeaseError` when it stays. `patient`: when it is gone already, whoever ended it may say so
   * first. Default for a drop.
   */
  end(source: LeaseSource, id: string, how: 'dropped' | 'swept', patient?: boolean): Promise<void>;
  isUnderWay(id: string): boolean;
  finish(lease: Ended, how: 'dropped' | 'swept'): Promise<void>;
  failed(lease: Ended, error: unknown): Promise<void>;
}

const GRACE_POLL_MS = 20;

export async function recorded(write: Promise<void>): Promise<void> {
  try {
    await write;
  } catch (cause) {
    throw new LeaseError('LEASE_RECORD', 'the lease could not be recorded', { cause });
  }
}

export function leaseEnds({ book, record, limits, onError }: EndOptions): Ends {
  const underWay = new Map<string, Promise<void>>();
  /** Failures that are on record already: a target that stays away is not recorded at each sweep. */
  const reported = new Map<string, string>();

  const dropWithRetries = async (source: LeaseSource, id: string): Promise<boolean> => {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await source.drop(id);
      } catch (error) {
        if (attempt >= limits.dropTries) throw error;
        await sleep(limits.dropPauseMs * 2 ** (attempt - 1));
      }
    }
  };

  /**
   * It was gone when we came. Most often another replica has ended it and is about to say so. If nobody does, it was never made, or is
   * being made just now: so it is looked for once more.
   */
  const othersMayRecord = async (source: LeaseSource, id: string): Promise<void> => {
    const deadline = performance.now() + limits.recordGraceMs;
    while (!book.hasEnded(id)) {
      if (performance.now() >= deadline) return void (await dropWithRetries(source, id));
      await sleep(GRACE_POLL_MS);
    }
  };

  const ends: Ends = {
    isUnderWay: (id) => underWay.has(id),

    async finish(lease, how) {
      book.ended(lease.id);
      reported.delete(lease.id);
      await recorded(record[how]({ id: lease.id, resource: lease.resource, login: lease.login }));
    },

    async failed(lease, error) {
      const code = error instanceof LeaseError ? error.code : 'LEASE_TARGET';
      onError(error, lease);
      if (reported.get(lease.id) === code) return;
      if (reported.size >= limits.maxLeases) reported.clear();
      reported.set(lease.id, code);
      await record
        .failed({ id: lease.id, resource: lease.resource, login: lease.login, code })
        .catch((unrecorded: unknown) => onError(unrecorded, lease));
    },

    end(source, id, how, patient = how === 'dropped') {
      const running = underWay.get(id);
      if (running) return running;
      const lease = book.get(id);
      book.ending(id);
      const work = (async () => {
        try {
          const endedHere = await dropWithRetries(source, id);
          if (lease && !endedHere && patient) await othersMayRecord(source, id);
        } catch (error) {
          // It stays in the book as ending: not live, so the next sweep tries again.
          if (lease) await ends.failed(lease, error);
          throw error;
        }
        // One that isn't in the book was ended before, and its end is on record.
        if (lease && book.get(id)) await ends.finish(lease, how);
      })().finally(() => underWay.delete(id));
      underWay.set(id, work);
      return work;
    },
  };
  return ends;
}
