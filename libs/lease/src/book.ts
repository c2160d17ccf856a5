import type { Lease } from './lease.js';

/** Sessions that are known to be over are remembered up to this many, the oldest forgotten first. */
export const SESSIONS_OVER_MAX = 100_000;

/**
 * Which leases are live: a fold of the lease stream and of the ends of sessions. Every entry may come twice, and from this process
 * and from the stream.
 */
export interface LeaseBook {
  issued(lease: Lease): void;
  /** Its end was asked for, or failed: not live any more, but not known to be gone. */
  ending(id: string): void;
  ended(id: string): void;
  /** Returns the session's leases that are live still. */
  sessionOver(session: string): readonly Lease[];
  isSessionOver(session: string): boolean;
  get(id: string): Lease | undefined;
  /** Its end is known. Of the oldest ones this is forgotten. */
  hasEnded(id: string): boolean;
  /** Issued, not ending, and its session isn't known to be over. Expiry is not looked at. */
  isLive(id: string): boolean;
  expired(nowMs: number): readonly Lease[];
  readonly size: number;
}

export function leaseBook(): LeaseBook {
  const leases = new Map<string, Lease>();
  /** Ends may be read before the issue that they belong to, when this process wrote both. */
  const over = new Set<string>();
  const ended = new Set<string>();
  const ending = new Set<string>();

  const remember = (set: Set<string>, value: string) => {
    set.delete(value);
    set.add(value);
    if (set.size > SESSIONS_OVER_MAX) for (const oldest of set) return void set.delete(oldest);
  };

  return {
    issued(lease) {
      if (!ended.has(lease.id)) leases.set(lease.id, lease);
    },
    ending(id) {
      if (leases.has(id)) ending.add(id);
    },
    ended(id) {
      leases.delete(id);
      ending.delete(id);
      remember(ended, id);
    },
    sessionOver(session) {
      remember(over, session);
      return [...leases.values()].filter((lease) => lease.session === session);
    },
    isSessionOver: (session) => over.has(session),
    get: (id) => leases.get(id),
    hasEnded: (id) => ended.has(id),
    isLive(id) {
      const lease = leases.get(id);
      return lease !== undefined && !ending.has(id) && !over.has(lease.session);
    },
    expired: (nowMs) => [...leases.values()].filter((lease) => lease.expiresAtMs <= nowMs),
    get size() {
      return leases.size;
    },
  };
}
