import type { PersonRow } from './hold.js';
import type { SessionRow } from './session.js';
import { add } from './values.js';

/** Principals that are named for one run: the first ones by issuer and subject. */
export const RUN_PRINCIPALS_MAX = 256;

/** The sessions of one crew's work, added up. */
export interface RunRow {
  readonly run: string;
  readonly principals: readonly PersonRow[];
  /** There are more than are named. */
  readonly principalsTruncated: boolean;
  readonly sessions: number;
  readonly open: number;
  readonly operations: number;
  readonly rows: number;
  readonly bytes: number;
  readonly denials: number;
  readonly firstSeen: string;
  readonly lastSeen: string;
}

/** One session further: `before` and `after` are its row around one event. Sums and sets, so that sessions may be read in any order. */
export function evolveRun(row: RunRow | undefined, before: SessionRow | undefined, after: SessionRow): RunRow | undefined {
  if (after.run === null) return row;
  const was = before?.run === after.run ? before : undefined;
  const start = row ?? blank(after.run, after.opened);
  return {
    ...start,
    ...withPrincipal(start, { subject: after.subject, issuer: after.issuer }),
    sessions: start.sessions + (was ? 0 : 1),
    open: start.open + isOpen(after) - isOpen(was),
    operations: add(start.operations, after.operations - (was?.operations ?? 0)),
    rows: add(start.rows, after.rows - (was?.rows ?? 0)),
    bytes: add(start.bytes, after.bytes - (was?.bytes ?? 0)),
    denials: add(start.denials, after.denials - (was?.denials ?? 0)),
    firstSeen: after.opened < start.firstSeen ? after.opened : start.firstSeen,
    lastSeen: after.lastSeen > start.lastSeen ? after.lastSeen : start.lastSeen,
  };
}

function isOpen(session: SessionRow | undefined): number {
  return session?.state === 'open' ? 1 : 0;
}

function withPrincipal(row: RunRow, person: PersonRow): Pick<RunRow, 'principals' | 'principalsTruncated'> {
  const { principals, principalsTruncated } = row;
  if (principals.some(({ subject, issuer }) => subject === person.subject && issuer === person.issuer)) return row;
  const all = [...principals, person].sort(byName);
  return { principals: all.slice(0, RUN_PRINCIPALS_MAX), principalsTruncated: principalsTruncated || all.length > RUN_PRINCIPALS_MAX };
}

function byName(one: PersonRow, other: PersonRow): number {
  const [a, b] = one.issuer === other.issuer ? [one.subject, other.subject] : [one.issuer, other.issuer];
  return a < b ? -1 : 1;
}

function blank(run: string, time: string): RunRow {
  return {
    run,
    principals: [],
    principalsTruncated: false,
    sessions: 0,
    open: 0,
    operations: 0,
    rows: 0,
    bytes: 0,
    denials: 0,
    firstSeen: time,
    lastSeen: time,
  };
}
