import { type BusRecord, TOPICS } from '@sallyport/bus';
import { type Distrusted, heardEvent, isVouchedKind, type Roster, unvouched } from '@sallyport/trust';

/** Topics whose records are signed one by one. Each is an event by itself: headers that would make a chunk of it are nobody's word. */
const SIGNED_TOPICS: ReadonlySet<string> = new Set([TOPICS.control, TOPICS.leases]);

/** What the read model makes of a record: `joined` with others to an event, an event `alone` (`vouched` for by its edge), or nothing, and why. */
export type Belief = 'joined' | 'alone' | 'vouched' | { readonly distrusted: Distrusted };

/**
 * By the log and the roster alone, so that a rebuild comes out equal as long as the roster is the same (ADR 0021). A record that isn't
 * believed is kept with its problem, and is folded into nothing.
 */
export function beliefOf(roster: Roster, record: BusRecord): Belief {
  // A request for approval that its edge didn't sign is an event of its session like any other, and no hold.
  if (record.topic === TOPICS.sessions) return isVouchedKind(record) && unvouched(roster, record) === undefined ? 'vouched' : 'joined';
  if (!SIGNED_TOPICS.has(record.topic)) return 'joined';
  const heard = heardEvent(roster, record);
  // Signed by one of ours, and of a type that this version doesn't know: its reading says what it is.
  if (heard.ok || heard.reason === 'unreadable') return 'alone';
  return { distrusted: heard.reason };
}

/** Codes in the column `problem`, as `DISTRUSTED_UNKNOWN_KEY`. */
export function problemOf(reason: Distrusted): string {
  return `DISTRUSTED_${reason.toUpperCase().replaceAll('-', '_')}`;
}
