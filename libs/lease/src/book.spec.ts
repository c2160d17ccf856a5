import { leaseBook, SESSIONS_LEASED_MAX, SESSIONS_OVER_MAX } from './book.js';
import type { Lease } from './lease.js';

const lease = (id: string, session = 's', expiresAtMs = 1000): Lease => ({
  id,
  session,
  resource: 'shop',
  source: 'postgres-role',
  profiles: [],
  login: `role_${id}`,
  expiresAtMs,
});

describe('leaseBook', () => {
  it('P7: comes out the same whichever of a pair is read first, and when everything is read twice', () => {
    const one = leaseBook();
    one.issued(lease('a'));
    one.issued(lease('b', 't'));
    one.issued(lease('c'));
    one.ended('a');
    one.ending('c');
    const two = leaseBook();
    two.ended('a');
    for (let again = 0; again < 2; again += 1) {
      two.issued(lease('c'));
      two.ending('c');
      two.issued(lease('a'));
      two.issued(lease('b', 't'));
      two.ended('a');
    }
    for (const book of [one, two]) {
      expect(['a', 'b', 'c'].map((id) => book.isLive(id))).toEqual([false, true, false]);
      expect(book.size).toBe(2);
      expect(book.sessionOver('t', 'edge/e1').map((each) => each.id)).toEqual(['b']);
      expect(book.isLive('b')).toBe(false);
      expect(book.isSessionOver('t', 'edge/e1')).toBe(true);
    }
  });

  it('tells what has expired', () => {
    const book = leaseBook();
    book.issued(lease('a', 's', 10));
    book.issued(lease('b', 's', 11));
    expect(book.expired(10).map((each) => each.id)).toEqual(['a']);
  });

  it('P4: an edge ends its own sessions only', () => {
    const book = leaseBook();
    book.issued({ ...lease('a'), holder: 'edge/e1' });
    expect(book.sessionOver('s', 'edge/e2')).toEqual([]);
    expect([book.isLive('a'), book.isSessionOver('s', 'edge/e1'), book.isSessionOver('s', 'edge/e2')]).toEqual([true, false, true]);
    expect(book.sessionOver('s', 'edge/e1').map((each) => each.id)).toEqual(['a']);
    expect([book.isLive('a'), book.isSessionOver('s', undefined)]).toEqual([false, true]);
  });

  it('knows that a session has had its lease, also when that is gone', () => {
    const book = leaseBook();
    book.ended('a');
    expect(book.wasLeased('s')).toBe(false);
    book.issued(lease('a'));
    expect([book.wasLeased('s'), book.wasLeased('s', 'a')]).toEqual([true, false]);
    book.issued(lease('b'));
    expect(book.wasLeased('s', 'a')).toBe(true);
  });

  it('P9: forgets the oldest ends above its limit', () => {
    const book = leaseBook();
    for (let i = 0; i <= SESSIONS_OVER_MAX; i += 1) book.sessionOver(`s${i}`, 'edge/e1');
    expect([0, 1, SESSIONS_OVER_MAX].map((i) => book.isSessionOver(`s${i}`, 'edge/e1'))).toEqual([false, true, true]);
  });

  it('P9: forgets the oldest leased sessions above its limit', () => {
    const book = leaseBook();
    for (let i = 0; i <= SESSIONS_LEASED_MAX; i += 1) {
      book.issued(lease(`l${i}`, `s${i}`));
      book.ended(`l${i}`);
    }
    expect([0, 1, SESSIONS_LEASED_MAX].map((i) => book.wasLeased(`s${i}`))).toEqual([false, true, true]);
  });
});
