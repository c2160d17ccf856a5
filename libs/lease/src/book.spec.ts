import { leaseBook, SESSIONS_OVER_MAX } from './book.js';
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
      expect(book.sessionOver('t').map((each) => each.id)).toEqual(['b']);
      expect(book.isLive('b')).toBe(false);
      expect(book.isSessionOver('t')).toBe(true);
    }
  });

  it('tells what has expired', () => {
    const book = leaseBook();
    book.issued(lease('a', 's', 10));
    book.issued(lease('b', 's', 11));
    expect(book.expired(10).map((each) => each.id)).toEqual(['a']);
  });

  it('P9: forgets the oldest ends above its limit', () => {
    const book = leaseBook();
    for (let i = 0; i <= SESSIONS_OVER_MAX; i += 1) book.sessionOver(`s${i}`);
    expect([book.isSessionOver('s0'), book.isSessionOver('s1'), book.isSessionOver(`s${SESSIONS_OVER_MAX}`)]).toEqual([false, true, true]);
  });
});
