/**
 * The life of a session as a pure machine (SPEC.md, section States). The table is total: the compiler asks for every
 * pair of state and event, so that nothing happens to a session by omission.
 */
export type SessionState = 'opening' | 'live' | 'closing' | 'closed';

/** `recorded`: the closing event is in the spool. */
export type SessionTransition = 'connected' | 'ended' | 'recorded';

const TRANSITIONS: Readonly<Record<SessionState, Readonly<Record<SessionTransition, SessionState | 'impossible'>>>> = {
  opening: { connected: 'live', ended: 'closing', recorded: 'impossible' },
  live: { connected: 'impossible', ended: 'closing', recorded: 'impossible' },
  // Several things may end a session at once (client gone, token expired): the first one is the reason.
  closing: { connected: 'closing', ended: 'closing', recorded: 'closed' },
  closed: { connected: 'closed', ended: 'closed', recorded: 'impossible' },
};

export class SessionStateError extends Error {
  readonly code = 'SESSION_STATE';
}

/** @throws SessionStateError when the pair can't happen: a fault of ours, never of a peer. */
export function transition(state: SessionState, event: SessionTransition): SessionState {
  const next = TRANSITIONS[state][event];
  if (next === 'impossible') throw new SessionStateError(`a session that is ${state} can't be ${event}`);
  return next;
}
