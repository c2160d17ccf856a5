import { exportJWK, generateKeyPair } from 'jose';
import type { Identified } from '@sallyport/identity';
import { type OidcIdentity, oidcIdentity } from './oidc-identity.js';
import type { OidcLimits } from './options.js';
import { sign, startTestIssuer, type TestIssuer, type TestKey, testKey } from './testing.js';

let first: TestKey;
let second: TestKey;
let issuer: TestIssuer;
let identity: OidcIdentity;
let nowMs: number;

beforeAll(async () => {
  first = await testKey('k1');
  second = await testKey('k2');
});

beforeEach(async () => {
  issuer = await startTestIssuer([first]);
  nowMs = Date.now();
  identity = withLimits({});
});

afterEach(async () => {
  identity.close();
  await issuer.close();
});

function withLimits(limits: Partial<OidcLimits>): OidcIdentity {
  return oidcIdentity({
    providers: [{ name: 'corp', issuer: issuer.issuer, audience: 'sallyport', groups: 'groups' }],
    limits,
    now: () => nowMs,
  });
}

let serial = 0;
/** Different each time, so that the cache of verified tokens stays out of it. */
function token(key: TestKey, header: Record<string, unknown> = {}): string {
  return sign(key, { iss: issuer.issuer, aud: 'sallyport', sub: 'dana', exp: nowMs / 1000 + 3600, jti: `t${serial++}` }, header);
}

async function codeFor(text: string, signal?: AbortSignal): Promise<string> {
  const result: Identified = await identity.identify(text, signal);
  return result.ok ? 'accepted' : result.code;
}

/** Ends when the issuer has seen that many key fetches; the suite's time-out ends it otherwise. */
async function keyFetches(count: number): Promise<void> {
  while (issuer.keyFetches < count) await new Promise((resolve) => setTimeout(resolve, 5));
}

describe('fetching keys', () => {
  it('touches no network before the first token, and then fetches once for all who wait', async () => {
    expect(issuer.discoveryFetches).toBe(0);
    const codes = await Promise.all(Array.from({ length: 50 }, () => codeFor(token(first))));
    expect(new Set(codes)).toEqual(new Set(['accepted']));
    expect([issuer.discoveryFetches, issuer.keyFetches]).toEqual([1, 1]);
  });

  it('P9: unknown key ids fetch the keys at most once in 30 seconds', async () => {
    await codeFor(token(first));
    for (let i = 0; i < 20; i++) expect(await codeFor(token(first, { kid: `made-up-${i}` }))).toBe('TOKEN_UNKNOWN_KEY');
    expect(issuer.keyFetches).toBe(2);
    nowMs += 29_999;
    expect(await codeFor(token(first, { kid: 'made-up' }))).toBe('TOKEN_UNKNOWN_KEY');
    expect(issuer.keyFetches).toBe(2);
    nowMs += 1;
    expect(await codeFor(token(first, { kid: 'made-up' }))).toBe('TOKEN_UNKNOWN_KEY');
    expect(issuer.keyFetches).toBe(3);
  });

  it('takes a new key at once when it is first named', async () => {
    expect(await codeFor(token(first))).toBe('accepted');
    issuer.keys = [first.publicJwk, second.publicJwk];
    expect(await codeFor(token(second))).toBe('accepted');
    expect(await codeFor(token(first))).toBe('accepted');
    expect(issuer.keyFetches).toBe(2);
  });

  it('drops a withdrawn key at the next fetch, and with it the tokens that it had verified', async () => {
    const old = token(first);
    expect(await codeFor(old)).toBe('accepted');
    issuer.keys = [second.publicJwk];
    expect(await codeFor(old)).toBe('accepted');
    expect(await codeFor(token(second))).toBe('accepted');
    expect(await codeFor(old)).toBe('TOKEN_UNKNOWN_KEY');
  });

  it('drops a withdrawn key within five minutes, even if nobody names another and even from the cache', async () => {
    const old = token(first);
    expect(await codeFor(old)).toBe('accepted');
    issuer.keys = [second.publicJwk];
    nowMs += 5 * 60_000 - 1;
    // The issuer fails just now, so nothing was fetched in the background either.
    issuer.status = 500;
    expect(await codeFor(old)).toBe('accepted');
    nowMs += 1;
    expect(await codeFor(old)).toBe('ISSUER_UNREACHABLE');
    issuer.status = 200;
    nowMs += 1000;
    expect(await codeFor(old)).toBe('TOKEN_UNKNOWN_KEY');
  });

  it('trusts no key for longer than five minutes, also when the issuer is away', async () => {
    const old = token(first);
    expect(await codeFor(old)).toBe('accepted');
    issuer.status = 500;
    nowMs += 5 * 60_000;
    expect(await codeFor(old)).toBe('ISSUER_UNREACHABLE');
    expect(await codeFor(token(first))).toBe('ISSUER_UNREACHABLE');
    issuer.status = 200;
    nowMs += 1000;
    expect(await codeFor(old)).toBe('accepted');
  });

  it('does not take old keys for young ones when the clock is set back', async () => {
    expect(await codeFor(token(first))).toBe('accepted');
    issuer.keys = [second.publicJwk];
    nowMs -= 3_600_000;
    expect(await codeFor(token(first))).toBe('TOKEN_UNKNOWN_KEY');
  });

  it('a key id that is used again for another key does not keep the tokens of the old one', async () => {
    const old = token(first);
    expect(await codeFor(old)).toBe('accepted');
    issuer.keys = [{ ...second.publicJwk, kid: 'k1' }];
    expect(await codeFor(token(first, { kid: 'other' }))).toBe('TOKEN_UNKNOWN_KEY');
    expect(await codeFor(old)).toBe('TOKEN_SIGNATURE');
  });
});

describe('a slow issuer', () => {
  it('P9: costs the sign-in that needs it the time-out, and tokens of known keys nothing', async () => {
    identity = withLimits({ issuerTimeoutMs: 60_000 });
    const known = token(first);
    expect(await codeFor(known)).toBe('accepted');
    issuer.isSilent = true;
    const done: string[] = [];
    const waiting = codeFor(token(second)).then((code) => done.push(code));
    expect(await codeFor(token(first))).toBe('accepted');
    expect(await codeFor(known)).toBe('accepted');
    expect(done).toEqual([]);
    identity.close();
    await waiting;

    identity = withLimits({ issuerTimeoutMs: 100 });
    issuer.isSilent = false;
    expect(await codeFor(known)).toBe('accepted');
    issuer.isSilent = true;
    expect(await codeFor(token(second))).toBe('ISSUER_UNREACHABLE');
    // The next one with an unknown key does not wait again.
    expect(await codeFor(token(second))).toBe('TOKEN_UNKNOWN_KEY');
  });

  it('P9: nobody with a known key waits while old keys are fetched anew', async () => {
    await codeFor(token(first));
    nowMs += 150_000;
    issuer.isSilent = true;
    expect(await codeFor(token(first))).toBe('accepted');
    await keyFetches(2);
    expect(await codeFor(token(first))).toBe('accepted');
    expect(issuer.keyFetches).toBe(2);
  });

  it('P9: keeps at most maxIssuerWaiters waiting, and stops waiting for who has gone', async () => {
    identity.close();
    identity = withLimits({ maxIssuerWaiters: 2, issuerTimeoutMs: 60_000 });
    issuer.isSilent = true;
    const gone = new AbortController();
    const waiting = [codeFor(token(first), gone.signal), codeFor(token(first), gone.signal)];
    expect(await codeFor(token(first))).toBe('ISSUER_UNREACHABLE');
    gone.abort();
    expect(await Promise.all(waiting)).toEqual(['ISSUER_UNREACHABLE', 'ISSUER_UNREACHABLE']);
    const last = codeFor(token(first));
    identity.close();
    expect(await last).toBe('ISSUER_UNREACHABLE');
    expect(await codeFor(token(first))).toBe('ISSUER_UNREACHABLE');
  });

  it('P9: is asked again only after a pause when it fails', async () => {
    issuer.status = 503;
    for (let i = 0; i < 10; i++) expect(await codeFor(token(first))).toBe('ISSUER_UNREACHABLE');
    expect(issuer.discoveryFetches).toBe(1);
    issuer.status = 200;
    nowMs += 1000;
    expect(await codeFor(token(first))).toBe('accepted');
  });
});

describe('an issuer whose answers are wrong', () => {
  const wrong: [string, (one: TestIssuer) => void][] = [
    ['another issuer in the discovery document', (one) => (one.discovery = { issuer: `${one.issuer}/` })],
    ['no jwks_uri', (one) => (one.discovery = { jwks_uri: undefined })],
    ['a jwks_uri over plain http elsewhere', (one) => (one.discovery = { jwks_uri: 'http://keys.example.com/keys' })],
    ['a jwks_uri that is a file', (one) => (one.discovery = { jwks_uri: 'file:///etc/passwd' })],
    ['a redirect', (one) => (one.status = 302)],
    ['keys that are no JSON', (one) => (one.rawKeys = '<html>')],
    ['keys without a list', (one) => (one.rawKeys = '{"keys":{}}')],
    ['keys without end', (one) => (one.rawKeys = JSON.stringify({ keys: [], pad: 'x'.repeat(300_000) }))],
    ['too many keys', (one) => (one.keys = Array.from({ length: 101 }, (_, i) => ({ ...first.publicJwk, kid: `k${i}` })))],
  ];
  it.each(wrong)('%s', async (_name, change) => {
    change(issuer);
    expect(await codeFor(token(first))).toBe('ISSUER_UNREACHABLE');
  });

  it('follows no redirect, even to good keys, and fetches nothing from where it may not', async () => {
    identity.close();
    const provider = { name: 'corp', issuer: issuer.issuer, audience: 'sallyport', groups: 'groups', jwksUri: `${issuer.issuer}/keys` };
    identity = oidcIdentity({ providers: [provider], now: () => nowMs });
    issuer.status = 302;
    expect(await codeFor(token(first))).toBe('ISSUER_UNREACHABLE');
    expect(issuer.keyFetches).toBe(1);

    issuer.status = 200;
    identity = withLimits({});
    // Reaches this very server, but is not a loopback address.
    issuer.discovery = { jwks_uri: `${issuer.issuer.replace('127.0.0.1', '0.0.0.0')}/keys` };
    expect(await codeFor(token(first))).toBe('ISSUER_UNREACHABLE');
    expect(issuer.keyFetches).toBe(1);
  });

  it('uses no symmetric, no encryption and no broken key, and loses no good one to them', async () => {
    issuer.keys = [
      { kty: 'oct', k: 'AAAA', kid: 'secret', alg: 'HS256' },
      { ...second.publicJwk, use: 'enc' },
      { kty: 'EC', crv: 'P-256', kid: 'broken' },
      first.publicJwk,
    ];
    expect(await codeFor(token(first))).toBe('accepted');
    expect(await codeFor(token(second))).toBe('TOKEN_UNKNOWN_KEY');
    expect(await codeFor(token(first, { kid: 'broken' }))).toBe('TOKEN_UNKNOWN_KEY');
  });

  it('takes the key from a token without kid only when exactly one fits', async () => {
    expect(await codeFor(token(first, { kid: undefined }))).toBe('accepted');
    issuer.keys = [first.publicJwk, second.publicJwk];
    nowMs += 300_000;
    expect(await codeFor(token(first, { kid: undefined }))).toBe('TOKEN_UNKNOWN_KEY');
  });

  it('does not verify with an RSA key that is too short', async () => {
    const { privateKey, publicKey } = await generateKeyPair('RS256', { extractable: true, modulusLength: 2048 });
    const weak = (await exportJWK(publicKey)).n ?? '';
    issuer.keys = [{ kty: 'RSA', e: 'AQAB', n: weak.slice(0, 170), kid: 'weak', alg: 'RS256' }];
    const key: TestKey = { keyId: 'weak', algorithm: 'RS256', privateKey, publicJwk: {} };
    expect(await codeFor(token(key))).toBe('TOKEN_SIGNATURE');
  });
});
