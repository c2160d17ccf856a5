import type { Session } from '@sallyport/session';
import { LiveSessions } from './live-sessions.js';

const LIMITS = { maxSessions: 3, maxSessionsPerPrincipal: 2 };

function setup(nowMs: () => number = Date.now) {
  const live = new LiveSessions(LIMITS, nowMs);
  const ended: string[] = [];
  const add = (id: string, principal: Partial<Session['principal']> = {}, endsAtMs = Infinity): void => {
    const session = { id, endsAtMs, principal: { subject: 'agent', issuer: 'corp', actors: [], ...principal } } as unknown as Session;
    live.add({ session, end: (reason, detail) => ended.push(`${id} ${reason}: ${detail}`) });
  };
  return { live, ended, add };
}

describe('LiveSessions', () => {
  it('P9: counts all, and each principal’s; a removed one makes room, once', () => {
    const { live, add } = setup();
    add('a');
    add('b');
    expect(live.full('agent')).toBe('limits.maxSessionsPerPrincipal');
    expect(live.full('other')).toBeUndefined();
    add('c', { subject: 'other' });
    expect(live.full('third')).toBe('limits.maxSessions');
    live.remove('a');
    live.remove('a');
    expect(live.size).toBe(2);
    expect(live.full('agent')).toBeUndefined();
    live.close();
  });

  it.each([
    ['its subject', { subject: 'agent', issuer: undefined }, ['a', 'b', 'd']],
    ['its subject and issuer', { subject: 'agent', issuer: 'corp' }, ['a', 'd']],
    ['an actor, whose issuer is the principal’s where it has none', { subject: 'crew', issuer: 'corp' }, ['c']],
    ['an actor with an issuer of its own', { subject: 'agent', issuer: 'partner' }, ['b', 'd']],
    ['nobody', { subject: 'nobody', issuer: undefined }, []],
  ])('P10: revokes a principal by %s', (_, { subject, issuer }, expected) => {
    const { live, ended, add } = setup();
    add('a');
    add('b', { issuer: 'partner' });
    add('c', { subject: 'other', actors: [{ subject: 'crew' }] });
    add('d', { subject: 'agent', actors: [{ subject: 'agent', issuer: 'partner' }] });
    live.revokePrincipal(subject, issuer, 'why');
    expect(ended.map((one) => one.split(' ')[0])).toEqual(expected);
    live.close();
  });

  it('S6: ends what is over, by its own clock', async () => {
    let now = 0;
    const { live, ended, add } = setup(() => now);
    add('a', {}, 1000);
    add('b', {}, 5000);
    now = 1000;
    while (ended.length === 0) await new Promise((resolve) => setTimeout(resolve, 20));
    expect(ended.every((one) => one.startsWith('a expired'))).toBe(true);
    live.close();
  });

  it('P10: revokes one session, and knows none of another', () => {
    const { live, ended, add } = setup();
    add('a');
    live.revokeSession('b', 'why');
    live.revokeSession('a', 'why');
    expect(ended).toEqual(['a revoked: why']);
    live.close();
  });
});
