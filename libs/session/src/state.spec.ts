import { type SessionState, SessionStateError, type SessionTransition, transition } from './state.js';

describe('transition', () => {
  it.each<[SessionState, SessionTransition, SessionState | undefined]>([
    ['opening', 'connected', 'live'],
    ['opening', 'ended', 'closing'],
    ['opening', 'recorded', undefined],
    ['live', 'connected', undefined],
    ['live', 'ended', 'closing'],
    ['live', 'recorded', undefined],
    ['closing', 'connected', 'closing'],
    ['closing', 'ended', 'closing'],
    ['closing', 'recorded', 'closed'],
    ['closed', 'connected', 'closed'],
    ['closed', 'ended', 'closed'],
    ['closed', 'recorded', undefined],
  ])('%s and %s', (state, event, expected) => {
    if (expected === undefined) expect(() => transition(state, event)).toThrow(SessionStateError);
    else expect(transition(state, event)).toBe(expected);
  });
});
