import type { Principal } from './principal.js';
import { Revocations } from './revocations.js';

const principal = (more: Partial<Principal> = {}): Principal => ({
  subject: 'agent',
  issuer: 'https://idp',
  provider: 'corp',
  kind: 'workload',
  groups: [],
  actors: [],
  expiresAtMs: 9_000_000,
  issuedAtMs: 1_000_000,
  ...more,
});

describe('P10: a revocation outlives the session', () => {
  const revocations = new Revocations(0);
  revocations.revoke('agent', undefined, 2_000_000);

  it('a token from before it opens nothing', () => {
    expect(revocations.covers(principal())).toBe(true);
    expect(revocations.covers(principal({ issuedAtMs: 2_000_000 }))).toBe(true);
    const { issuedAtMs: _, ...undated } = principal();
    expect(revocations.covers(undated)).toBe(true);
  });

  it('a token from after it does, and so does everybody else’s', () => {
    expect(revocations.covers(principal({ issuedAtMs: 2_000_001 }))).toBe(false);
    expect(revocations.covers(principal({ subject: 'other' }))).toBe(false);
  });

  it('reaches whoever acts for the subject, and only the issuer that was named', () => {
    expect(revocations.covers(principal({ subject: 'x', actors: [{ subject: 'agent' }] }))).toBe(true);
    const named = new Revocations(0);
    named.revoke('agent', 'https://other', 2_000_000);
    expect(named.covers(principal())).toBe(false);
    expect(named.covers(principal({ issuer: 'https://other' }))).toBe(true);
  });

  it('an older revocation does not undo a newer one', () => {
    revocations.revoke('agent', undefined, 1_500_000);
    expect(revocations.covers(principal({ issuedAtMs: 1_800_000 }))).toBe(true);
  });

  it('P9 P10: a console whose clock is slow by up to the limit lets no token from before open; a later one opens', () => {
    const skewMs = 300_000;
    const skewed = new Revocations(skewMs);
    // Revoked at 2 000 000 by everybody's clock but the console's, which is five minutes slow.
    skewed.revoke('agent', undefined, 2_000_000 - skewMs);
    expect(skewed.covers(principal({ issuedAtMs: 2_000_000 - 1 }))).toBe(true);
    expect(skewed.covers(principal({ issuedAtMs: 2_000_000 }))).toBe(true);
    expect(skewed.covers(principal({ issuedAtMs: 2_000_001 }))).toBe(false);
    expect(skewed.covers(principal({ subject: 'other' }))).toBe(false);
  });
});
