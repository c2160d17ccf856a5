import type { ApprovalGiven, ApprovalRequested, ControlEvent, SessionEvent } from '@sallyport/events';
import { evolveHold, openHold } from '@sallyport/verdict';
import type { HoldState, Rule } from '@sallyport/verdict';
import { ruleRows } from './operation.js';
import { actorRows } from './session.js';
import type { ActorRow } from './session.js';
import { instant, instantOf, keyText } from './values.js';

/** Answers that are kept for one hold: the earliest ones. */
export const HOLD_ANSWERS_MAX = 256;

export interface PersonRow {
  readonly subject: string;
  readonly issuer: string;
}

/** One answer from the control stream, whether it counts or not. */
export interface HoldAnswer extends PersonRow {
  /** Source and id of its event: tells a redelivery. */
  readonly id: string;
  readonly granted: boolean;
  readonly groups: readonly string[];
  readonly comment: string | null;
  /** The operation that the approver saw. */
  readonly hash: string;
  readonly at: string;
}

export interface GivenApproval extends PersonRow {
  readonly at: string;
  readonly comment: string | null;
}

/**
 * One operation that waits, or waited, for people. What it is asked for comes from the session's stream, the answers from the control
 * stream, and either may be read first: the row keeps both parts, and the rest of it is made of them anew each time.
 */
export interface HoldRow {
  readonly session: string;
  readonly id: string;
  readonly operation: number | null;
  readonly hash: string;
  readonly resource: string;
  readonly resourceKind: string;
  readonly text: string;
  readonly class: string;
  readonly requester: (PersonRow & { readonly groups: readonly string[]; readonly actors: readonly ActorRow[] }) | null;
  readonly rules: readonly Rule[];
  readonly revision: string;
  readonly groups: readonly string[];
  readonly needed: number;
  readonly windowMs: number;
  /** Null until the request itself has been read. */
  readonly requested: string | null;
  readonly expires: string | null;
  readonly answers: readonly HoldAnswer[];
  /** What the edge said it did, and on whose word. */
  readonly outcome: 'granted' | 'denied' | 'expired' | 'cancelled' | null;
  readonly by: readonly (PersonRow & { readonly comment: string | null })[];
  readonly appliedWindowEnds: string | null;
  readonly sessionEnded: boolean;
  /** The edge's word if there is one; else what the answers come to. Nothing here looks at a clock: `waiting` may be past `expires`. */
  readonly state: 'waiting' | 'granted' | 'denied' | 'expired' | 'cancelled';
  /** Approvals that count: for this operation, in time, not from the requester, each person once. */
  readonly given: readonly GivenApproval[];
  readonly windowEnds: string | null;
}

/** One event of the hold's session further. */
export function evolveHoldBySession(
  row: HoldRow | undefined,
  event: SessionEvent,
  place: Pick<HoldRow, 'session' | 'id'>,
): HoldRow | undefined {
  switch (event.type) {
    case 'approval.requested':
      return row && row.requested !== null ? row : settled({ ...(row ?? blank(place)), ...requested(event.data, event.time) });
    case 'approval.applied': {
      if (row && row.outcome !== null) return row;
      const { operation, outcome, by, windowEnds } = event.data;
      return settled({
        ...(row ?? blank(place)),
        operation: row?.operation ?? operation,
        outcome,
        by: by.map(({ subject, issuer, comment }) => ({ subject, issuer, comment: comment ?? null })),
        appliedWindowEnds: windowEnds === undefined ? null : instant(windowEnds),
      });
    }
    case 'session.closed':
    case 'session.aborted':
      // A row of answers alone is not of this stream yet: what it becomes must not hang on which stream was read first.
      return row && (row.requested !== null || row.outcome !== null) ? settled({ ...row, sessionEnded: true }) : row;
    default:
      return row;
  }
}

/** One answer further, in whatever order answers come. `id` is the event's identity. */
export function evolveHoldByAnswer(row: HoldRow | undefined, event: ControlEvent, id: string): HoldRow | undefined {
  if (event.type !== 'approval.given' && event.type !== 'approval.refused') return row;
  const before = row ?? blank({ session: keyText(event.data.session), id: keyText(event.data.hold) });
  if (before.answers.some((answer) => answer.id === id)) return before;
  const answers = [...before.answers, answer(event.data, event.type === 'approval.given', id, event.time)].sort(byTime);
  return settled({ ...before, answers: answers.slice(0, HOLD_ANSWERS_MAX) });
}

function answer({ by, comment, hash }: ApprovalGiven, granted: boolean, id: string, time: string): HoldAnswer {
  const at = instant(time) ?? time;
  return { id, granted, subject: by.subject, issuer: by.issuer, groups: by.groups, comment: comment ?? null, hash, at };
}

/** By time, then by id: the same order whichever partition was read first. */
function byTime(one: HoldAnswer, other: HoldAnswer): number {
  const [a, b] = one.at === other.at ? [one.id, other.id] : [one.at, other.at];
  return a < b ? -1 : 1;
}

function requested(data: ApprovalRequested, time: string): Partial<HoldRow> {
  const { requester } = data;
  return {
    operation: data.operation,
    hash: data.hash,
    resource: keyText(data.resource.name),
    resourceKind: data.resource.kind,
    text: data.text,
    class: data.class,
    requester: {
      subject: requester.subject,
      issuer: requester.issuer,
      groups: requester.groups,
      actors: actorRows(requester.actors),
    },
    rules: ruleRows(data.rules),
    revision: data.revision,
    groups: data.groups,
    needed: data.needed,
    windowMs: data.windowMs,
    requested: instant(time),
    expires: instant(data.expires),
  };
}

function settled(row: HoldRow): HoldRow {
  const answered = row.requester && judged(row, row.requester);
  const given = (answered?.given ?? []).map(({ subject, issuer }) => {
    const first = row.answers.find((one) => one.granted && one.hash === row.hash && one.subject === subject && one.issuer === issuer);
    return { subject, issuer, at: first?.at ?? '', comment: first?.comment ?? null };
  });
  const status = answered?.status === 'used' ? 'granted' : (answered?.status ?? 'waiting');
  const ended = row.sessionEnded ? 'cancelled' : status;
  const computedEnd = answered?.endsAtMs === undefined ? null : instantOf(answered.endsAtMs);
  return {
    ...row,
    state: row.outcome ?? ended,
    given,
    windowEnds: row.outcome === null ? computedEnd : row.appliedWindowEnds,
  };
}

/** By the rule of the verdict library, the one that the decision service goes by. */
function judged(row: HoldRow, requester: PersonRow): HoldState {
  const start = openHold({
    id: row.id,
    operation: row.hash,
    requester,
    groups: row.groups,
    needed: row.needed,
    expiresAtMs: row.expires === null ? 0 : Date.parse(row.expires),
    windowMs: row.windowMs,
  });
  return row.answers
    .filter(({ hash }) => hash === row.hash)
    .reduce((state, { granted, subject, issuer, at }) => {
      // What comes after the last approval that was needed is too late to change anything.
      if (state.status === 'granted') return state;
      return evolveHold(state, { type: granted ? 'granted' : 'denied', by: { subject, issuer }, atMs: Date.parse(at) });
    }, start);
}

function blank(place: Pick<HoldRow, 'session' | 'id'>): HoldRow {
  return {
    ...place,
    operation: null,
    hash: '',
    resource: '',
    resourceKind: '',
    text: '',
    class: '',
    requester: null,
    rules: [],
    revision: '',
    groups: [],
    needed: 0,
    windowMs: 0,
    requested: null,
    expires: null,
    answers: [],
    outcome: null,
    by: [],
    appliedWindowEnds: null,
    sessionEnded: false,
    state: 'waiting',
    given: [],
    windowEnds: null,
  };
}
