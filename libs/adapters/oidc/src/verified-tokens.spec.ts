import type { Principal } from '@sallyport/identity';
import { VerifiedTokens } from './verified-tokens.js';

const principal = (expiresAtMs: number) => ({ expiresAtMs }) as Principal;
const yes = () => true;

describe('VerifiedTokens', () => {
  it('P9: holds at most maxEntries, the least recently used goes first', () => {
    const tokens = new VerifiedTokens(2);
    tokens.add('a', { principal: principal(10), thumbprint: 'k' });
    tokens.add('b', { principal: principal(10), thumbprint: 'k' });
    tokens.get('a', 0, yes);
    tokens.add('c', { principal: principal(10), thumbprint: 'k' });
    expect(tokens.size).toBe(2);
    expect(['a', 'b', 'c'].map((digest) => tokens.get(digest, 0, yes) !== undefined)).toEqual([true, false, true]);
  });

  it('forgets a token that has expired or whose key is gone', () => {
    const tokens = new VerifiedTokens(5);
    tokens.add('a', { principal: principal(10), thumbprint: 'k' });
    tokens.add('b', { principal: principal(99), thumbprint: 'k' });
    expect(tokens.get('a', 10, yes)).toBeUndefined();
    expect(tokens.get('b', 10, () => false)).toBeUndefined();
    expect(tokens.size).toBe(0);
  });

  it('remembers nothing when it may hold nothing', () => {
    const tokens = new VerifiedTokens(0);
    tokens.add('a', { principal: principal(10), thumbprint: 'k' });
    expect(tokens.size).toBe(0);
  });

  it('P3: knows a token by its SHA-256 only', () => {
    expect(VerifiedTokens.digest('abc')).toBe('ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=');
  });
});
