import type { Session } from '@sallyport/session';
import { LiveSessions } from './live-sessions.js';

const LIMITS = { maxSessions: 3, maxSessionsPerPrincipal: 2 };

function setup(nowMs: () => number = Date.now) {
  const live = new LiveSessions(LIMITS, nowMs, { error: () => undefined });
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
    void live.revokePrincipal(subject, issuer, 'why');
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
    void live.revokeSession('b', 'why');
    void live.revokeSession('a', 'why');
    expect(ended).toEqual(['a revoked: why']);
    live.close();
  });

  it('P10: a revocation is carried out when the end of each of its sessions is on record, and not before', async () => {
    const { live, add } = setup();
    let record!: () => void;
    const onRecord = new Promise<void>((resolve) => (record = resolve));
    add('a');
    add('b');
    live.remove('a', onRecord);
    const done: number[] = [];
    const revoked = live.revokePrincipal('agent', undefined, 'why').then((sessions) => done.push(sessions));
    live.remove('b');
    await new Promise((resolve) => setTimeout(resolve, 10));
    expect(done).toEqual([]);
    expect(await live.revokePrincipal('other', undefined, 'why')).toBe(0);
    record();
    await revoked;
    // `a` had ended already.
    expect(done).toEqual([1]);
    live.close();
  });

  it('P10: one that can’t be ended, or whose end can’t be recorded, keeps no other alive; and is never said to have ended', async () => {
    const { live, ended, add } = setup();
    live.add({
      session: { id: 'broken', endsAtMs: Infinity, principal: { subject: 'agent', issuer: 'corp', actors: [] } } as unknown as Session,
      end: () => {
        throw new Error('broken');
      },
    });
    add('b');
    const revoked = live.revokePrincipal('agent', undefined, 'why');
    expect(ended).toEqual(['b revoked: why']);
    live.remove('b');
    live.remove('broken', Promise.reject(new Error('the disk')));
    await expect(revoked).rejects.toThrow('the disk');
    live.close();
  });
});
