import type { Lease } from './lease.js';

/** Sessions that are known to be over are remembered up to this many, the oldest forgotten first. */
export const SESSIONS_OVER_MAX = 100_000;
/** Sessions that have had a lease, the same. */
export const SESSIONS_LEASED_MAX = 100_000;

/**
 * Which leases are live: a fold of the lease stream and of the ends of sessions. Every entry may come twice, and from this process
 * and from the stream.
 */
export interface LeaseBook {
  issued(lease: Lease): void;
  /** Its end was asked for, or failed: not live any more, but not known to be gone. */
  ending(id: string): void;
  ended(id: string): void;
  /** An edge has said so of its own session. Returns the leases that it holds for it still. */
  sessionOver(session: string, edge: string): readonly Lease[];
  /** Whether `edge` has said so, or any edge when it isn't known which one holds the session. */
  isSessionOver(session: string, edge: string | undefined): boolean;
  /** Whether the session has had a lease, live or not, beside `except`. */
  wasLeased(session: string, except?: string): boolean;
  get(id: string): Lease | undefined;
  /** Its end is known. Of the oldest ones this is forgotten. */
  hasEnded(id: string): boolean;
  /** Issued, not ending, and its session isn't known to be over. Expiry is not looked at. */
  isLive(id: string): boolean;
  expired(nowMs: number): readonly Lease[];
  /** Not live any more, and no end of theirs is known. */
  lapsed(): readonly Lease[];
  readonly size: number;
}

export function leaseBook(): LeaseBook {
  const leases = new Map<string, Lease>();
  /** Session → the edges that have ended it. Ends may be read before the issue that they belong to. */
  const over = new Map<string, ReadonlySet<string>>();
  /** Session → ids of its leases. */
  const leased = new Map<string, ReadonlySet<string>>();
  const ended = new Map<string, true>();
  const ending = new Set<string>();

  const isOver = (session: string, edge: string | undefined): boolean => {
    const edges = over.get(session);
    return edges !== undefined && (edge === undefined || edges.has(edge));
  };

  const isLive = (id: string): boolean => {
    const lease = leases.get(id);
    return lease !== undefined && !ending.has(id) && !isOver(lease.session, lease.holder);
  };

  return {
    issued(lease) {
      remember(leased, lease.session, new Set(leased.get(lease.session)).add(lease.id), SESSIONS_LEASED_MAX);
      if (!ended.has(lease.id)) leases.set(lease.id, lease);
    },
    ending(id) {
      if (leases.has(id)) ending.add(id);
    },
    ended(id) {
      leases.delete(id);
      ending.delete(id);
      remember(ended, id, true, SESSIONS_OVER_MAX);
    },
    sessionOver(session, edge) {
      remember(over, session, new Set(over.get(session)).add(edge), SESSIONS_OVER_MAX);
      return [...leases.values()].filter(({ session: its, holder }) => its === session && (holder === undefined || holder === edge));
    },
    isSessionOver: isOver,
    wasLeased: (session, except) => [...(leased.get(session) ?? [])].some((id) => id !== except),
    get: (id) => leases.get(id),
    hasEnded: (id) => ended.has(id),
    isLive,
    lapsed: () => [...leases.values()].filter(({ id }) => !isLive(id)),
    expired: (nowMs) => [...leases.values()].filter((lease) => lease.expiresAtMs <= nowMs),
    get size() {
      return leases.size;
    },
  };
}

/** Puts it behind all others; above `max` the oldest goes. */
function remember<Value>(map: Map<string, Value>, key: string, value: Value, max: number): void {
  map.delete(key);
  map.set(key, value);
  if (map.size <= max) return;
  for (const oldest of map.keys()) return void map.delete(oldest);
}
