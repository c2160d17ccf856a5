import { type ClaimRules, principalFromClaims } from './claims.js';

const rules: ClaimRules = {
  provider: 'corp',
  issuer: 'https://idp.example.com',
  audience: 'sallyport',
  groups: 'groups',
  clockToleranceMs: 0,
  maxActorDepth: 8,
};
const claims = { iss: rules.issuer, aud: 'sallyport', sub: 'dana', exp: 1000, groups: ['dba'], act: { sub: 'agent' } };

describe('principalFromClaims', () => {
  it('believes only the issuer whose key signed', () => {
    expect(principalFromClaims({ ...claims, iss: `${rules.issuer}/` }, rules, 0)).toMatchObject({ code: 'TOKEN_UNKNOWN_ISSUER' });
  });

  it('P10: ends with the token, to the millisecond, whatever the clocks tolerate', () => {
    const tolerant = { ...rules, clockToleranceMs: 60_000 };
    expect(principalFromClaims(claims, tolerant, 999_999)).toMatchObject({ ok: true, principal: { expiresAtMs: 1_000_000 } });
    expect(principalFromClaims(claims, tolerant, 1_000_000)).toMatchObject({ code: 'TOKEN_EXPIRED' });
  });

  it('gives a principal that nobody can change', () => {
    const result = principalFromClaims(claims, rules, 0);
    if (!result.ok) throw new Error(result.code);
    expect(() => Object.assign(result.principal, { subject: 'sam' })).toThrow(TypeError);
    expect(() => (result.principal.groups as string[]).push('security')).toThrow(TypeError);
    expect(() => (result.principal.actors as unknown[]).push({})).toThrow(TypeError);
  });
});
