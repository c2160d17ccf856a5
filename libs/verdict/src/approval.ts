/** Who answers: a person is one however many groups, tokens or sessions they have. */
export interface Approver {
  readonly subject: string;
  readonly issuer: string;
}

/** An operation that waits. It is good for the one operation with this hash, once. */
export interface Hold {
  readonly id: string;
  /** `operationHash`. */
  readonly operation: string;
  readonly requester: Approver;
  readonly groups: readonly string[];
  /** How many different people must agree; at least 1. */
  readonly needed: number;
  /** Milliseconds since the epoch: no answer by then is a denial. */
  readonly expiresAtMs: number;
  /** How long the approval is good for, from the answer that completes it. */
  readonly windowMs: number;
}

/** What has happened to a hold. Whether somebody may answer is for `sallyport/approval` to say before it is an event. */
export type HoldEvent =
  | { readonly type: 'granted'; readonly by: Approver; readonly atMs: number }
  | { readonly type: 'denied'; readonly by: Approver; readonly atMs: number }
  | { readonly type: 'used'; readonly operation: string; readonly atMs: number };

export interface HoldState {
  readonly hold: Hold;
  /** `waiting` and `granted` go on to `expired` with time: ask {@link holdAt}. */
  readonly status: 'waiting' | 'granted' | 'denied' | 'used' | 'expired';
  /** Each person once, in the order of their answers. */
  readonly given: readonly Approver[];
  readonly deniedBy?: Approver;
  /** Set from `granted` on: the end of the approval window, milliseconds since the epoch. */
  readonly endsAtMs?: number;
}

export function openHold(hold: Hold): HoldState {
  return { hold, status: 'waiting', given: [] };
}

/**
 * One event further. Pure and total: an event that comes too late, from the requester, from somebody who has answered, or for
 * another operation changes nothing. One denial is a denial.
 */
export function evolveHold(before: HoldState, event: HoldEvent): HoldState {
  const state = holdAt(before, event.atMs);
  const { hold, given } = state;
  if (event.type === 'used') {
    return state.status === 'granted' && event.operation === hold.operation ? { ...state, status: 'used' } : state;
  }
  if (state.status !== 'waiting' || samePerson(event.by, hold.requester)) return state;
  if (event.type === 'denied') return { ...state, status: 'denied', deniedBy: event.by };
  if (given.some((one) => samePerson(one, event.by))) return state;
  const now = [...given, event.by];
  return now.length < Math.max(hold.needed, 1)
    ? { ...state, given: now }
    : { ...state, given: now, status: 'granted', endsAtMs: event.atMs + hold.windowMs };
}

/** The state at that time. The first millisecond that is too late is the end itself. */
export function holdAt(state: HoldState, nowMs: number): HoldState {
  const endsAtMs = state.status === 'waiting' ? state.hold.expiresAtMs : state.status === 'granted' ? (state.endsAtMs ?? 0) : Infinity;
  return nowMs < endsAtMs ? state : { ...state, status: 'expired' };
}

function samePerson(one: Approver, other: Approver): boolean {
  return one.subject === other.subject && one.issuer === other.issuer;
}
