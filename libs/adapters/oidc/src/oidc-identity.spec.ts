import { createPublicKey } from 'node:crypto';
import type { Identified } from '@sallyport/identity';
import type { JWK } from 'jose';
import { type OidcIdentity, oidcIdentity } from './oidc-identity.js';
import type { OidcProviderOptions } from './options.js';
import { sign, startTestIssuer, type TestIssuer, type TestKey, testKey } from './testing.js';

let key: TestKey;
let issuer: TestIssuer;
let identity: OidcIdentity;

const seconds = () => Math.floor(Date.now() / 1000);

function claims(changes: Record<string, unknown> = {}): Record<string, unknown> {
  const now = seconds();
  return { iss: issuer.issuer, aud: 'sallyport', sub: 'dana', iat: now, exp: now + 300, groups: ['dba'], ...changes };
}

function identityFor(changes: Partial<OidcProviderOptions> = {}): OidcIdentity {
  return oidcIdentity({ providers: [{ name: 'corp', issuer: issuer.issuer, audience: 'sallyport', groups: 'groups', ...changes }] });
}

function codeOf(result: Identified): string {
  return result.ok ? 'accepted' : result.code;
}

beforeAll(async () => {
  key = await testKey('k1');
  issuer = await startTestIssuer([key]);
  identity = identityFor();
});

afterAll(async () => {
  identity.close();
  await issuer.close();
});

describe('a token that is in order', () => {
  it('gives its principal', async () => {
    const exp = seconds() + 120;
    const iat = seconds() - 3;
    const token = sign(
      key,
      claims({
        sub: 'crew-stock',
        iat,
        client_id: 'crew-stock',
        jti: 'id-1',
        run: 'run-7',
        act: { sub: 'planner', act: { sub: 'host', iss: 'https://other.example' } },
        exp,
      }),
    );
    expect(await identity.identify(token)).toEqual({
      ok: true,
      principal: {
        subject: 'crew-stock',
        issuer: issuer.issuer,
        provider: 'corp',
        kind: 'workload',
        groups: ['dba'],
        actors: [{ subject: 'planner' }, { subject: 'host', issuer: 'https://other.example' }],
        run: 'run-7',
        expiresAtMs: exp * 1000,
        issuedAtMs: iat * 1000,
        tokenId: 'id-1',
      },
    });
  });

  it.each(['RS256', 'PS256', 'ES256', 'EdDSA'])('may be signed with %s', async (algorithm) => {
    const other = await testKey(`k-${algorithm}`, algorithm);
    const server = await startTestIssuer([key, other]);
    const one = oidcIdentity({ providers: [{ name: 'corp', issuer: server.issuer, audience: 'sallyport', groups: 'groups' }] });
    try {
      expect(codeOf(await one.identify(sign(other, claims({ iss: server.issuer }))))).toBe('accepted');
      const forged = sign({ ...other, privateKey: (await testKey('x', algorithm)).privateKey }, claims({ iss: server.issuer }));
      expect(codeOf(await one.identify(forged))).toBe('TOKEN_SIGNATURE');
    } finally {
      one.close();
      await server.close();
    }
  });

  it('may be signed with what the list names and the key allows, and nothing else', async () => {
    const [es384, rsa] = [await testKey('es384', 'ES384'), await testKey('rsa', 'RS256')];
    const open = { ...rsa, keyId: 'open', publicJwk: { ...rsa.publicJwk, kid: 'open', alg: undefined } } as unknown as TestKey;
    const server = await startTestIssuer([es384, rsa, open]);
    const provider = { name: 'corp', issuer: server.issuer, audience: 'sallyport', groups: 'groups' };
    const [usual, wide] = [oidcIdentity({ providers: [provider] }), oidcIdentity({ providers: [{ ...provider, algorithms: ['ES384'] }] })];
    const token = (one: TestKey) => sign(one, claims({ iss: server.issuer }));
    try {
      expect(codeOf(await usual.identify(token(es384)))).toBe('TOKEN_ALGORITHM');
      expect(codeOf(await wide.identify(token(es384)))).toBe('accepted');
      expect(codeOf(await wide.identify(token(rsa)))).toBe('TOKEN_ALGORITHM');
      // One RSA key, two algorithms: the key's own word decides, and a key that says nothing serves both.
      expect(codeOf(await usual.identify(token({ ...rsa, algorithm: 'PS256' })))).toBe('TOKEN_ALGORITHM');
      expect(codeOf(await usual.identify(token({ ...open, algorithm: 'PS256' })))).toBe('accepted');
      expect(codeOf(await usual.identify(token({ ...open, algorithm: 'RS256' })))).toBe('accepted');
    } finally {
      usual.close();
      wide.close();
      await server.close();
    }
  });

  it.each(['at+jwt', 'application/at+jwt', 'JWT', undefined])('may have typ %s', async (typ) => {
    expect(codeOf(await identity.identify(sign(key, claims(), { typ })))).toBe('accepted');
  });

  it('may name several audiences', async () => {
    expect(codeOf(await identity.identify(sign(key, claims({ aud: ['other', 'sallyport'] }))))).toBe('accepted');
  });

  it('may come from an issuer with a path and a final slash', async () => {
    const path = `${issuer.issuer}/realms/corp/`;
    issuer.discovery = { issuer: path };
    const one = identityFor({ issuer: path });
    try {
      expect(codeOf(await one.identify(sign(key, claims({ iss: path }))))).toBe('accepted');
      expect(codeOf(await one.identify(sign(key, claims({ iss: path.slice(0, -1) }))))).toBe('TOKEN_UNKNOWN_ISSUER');
    } finally {
      issuer.discovery = {};
      one.close();
    }
  });
});

describe('a token that is refused', () => {
  const hmacOf = (jwk: JWK) => createPublicKey({ key: jwk as never, format: 'jwk' }).export({ type: 'spki', format: 'pem' });

  const refused: [string, string, () => string][] = [
    ['empty', 'TOKEN_MALFORMED', () => ''],
    ['opaque', 'TOKEN_MALFORMED', () => 'some-opaque-token'],
    ['encrypted (five parts)', 'TOKEN_MALFORMED', () => `${sign(key, claims())}.AAAA.AAAA`],
    ['without a signature', 'TOKEN_MALFORMED', () => sign(key, claims()).replace(/[^.]*$/, '')],
    ['with an altered claim', 'TOKEN_SIGNATURE', () => withClaims(sign(key, claims()), claims({ sub: 'sam' }))],
    ['with a signature of another algorithm`s length', 'TOKEN_SIGNATURE', () => `${sign(key, claims())}AAAA`],
    ['alg none', 'TOKEN_ALGORITHM', () => sign(key, claims(), { alg: 'none' }).replace(/[^.]*$/, '')],
    ['alg None', 'TOKEN_ALGORITHM', () => sign(key, claims(), { alg: 'nOnE' })],
    ['HMAC with the public key (PEM) as secret', 'TOKEN_ALGORITHM', () => sign(key, claims(), { alg: 'HS256' }, hmacOf(key.publicJwk))],
    ['HMAC with the public JWK as secret', 'TOKEN_ALGORITHM', () => sign(key, claims(), { alg: 'HS256' }, JSON.stringify(key.publicJwk))],
    ['an algorithm outside the list', 'TOKEN_ALGORITHM', () => sign(key, claims(), { alg: 'ES384' })],
    ['an algorithm that the key does not name', 'TOKEN_ALGORITHM', () => sign(key, claims(), { alg: 'RS256' })],
    ['with its own jwk', 'TOKEN_MALFORMED', () => sign(key, claims(), { jwk: key.publicJwk })],
    ['with a jku', 'TOKEN_MALFORMED', () => sign(key, claims(), { jku: 'https://evil.example/keys' })],
    ['with an x5u', 'TOKEN_MALFORMED', () => sign(key, claims(), { x5u: 'https://evil.example/cert' })],
    ['with an x5c', 'TOKEN_MALFORMED', () => sign(key, claims(), { x5c: ['AAAA'] })],
    ['with crit', 'TOKEN_MALFORMED', () => sign(key, claims(), { crit: ['exp'] })],
    ['with an empty crit', 'TOKEN_MALFORMED', () => sign(key, claims(), { crit: [] })],
    ['with b64 false', 'TOKEN_MALFORMED', () => sign(key, claims(), { b64: false, crit: ['b64'] })],
    ['of another type', 'TOKEN_MALFORMED', () => sign(key, claims(), { typ: 'logout+jwt' })],
    ['with a kid that is no string', 'TOKEN_MALFORMED', () => sign(key, claims(), { kid: 7 })],
    ['of an unknown issuer', 'TOKEN_UNKNOWN_ISSUER', () => sign(key, claims({ iss: 'https://evil.example' }))],
    ['without an issuer', 'TOKEN_CLAIM', () => sign(key, claims({ iss: undefined }))],
    ['for another audience', 'TOKEN_AUDIENCE', () => sign(key, claims({ aud: 'other' }))],
    ['without an audience', 'TOKEN_AUDIENCE', () => sign(key, claims({ aud: undefined }))],
    ['with an empty audience', 'TOKEN_AUDIENCE', () => sign(key, claims({ aud: [] }))],
    ['with an audience that is an object', 'TOKEN_CLAIM', () => sign(key, claims({ aud: { 0: 'sallyport' } }))],
    ['with an audience list that holds a number', 'TOKEN_CLAIM', () => sign(key, claims({ aud: ['sallyport', 7] }))],
    ['that has expired', 'TOKEN_EXPIRED', () => sign(key, claims({ exp: seconds() - 1 }))],
    ['without exp', 'TOKEN_CLAIM', () => sign(key, claims({ exp: undefined }))],
    ['with exp as a string', 'TOKEN_CLAIM', () => sign(key, claims({ exp: String(seconds() + 60) }))],
    ['with exp beyond every date', 'TOKEN_CLAIM', () => sign(key, claims({ exp: 1e300 }))],
    ['with exp that is null', 'TOKEN_CLAIM', () => sign(key, claims({ exp: null }))],
    ['not valid yet', 'TOKEN_NOT_YET_VALID', () => sign(key, claims({ nbf: seconds() + 60 }))],
    ['issued in the future', 'TOKEN_NOT_YET_VALID', () => sign(key, claims({ iat: seconds() + 60 }))],
    ['with nbf as a string', 'TOKEN_CLAIM', () => sign(key, claims({ nbf: '0' }))],
    ['without sub', 'TOKEN_CLAIM', () => sign(key, claims({ sub: undefined }))],
    ['with an empty sub', 'TOKEN_CLAIM', () => sign(key, claims({ sub: '' }))],
    ['with a sub that is a list', 'TOKEN_CLAIM', () => sign(key, claims({ sub: ['dana'] }))],
    ['with a sub that breaks a line', 'TOKEN_CLAIM', () => sign(key, claims({ sub: 'dana\nsam' }))],
    ['with a sub of 256 characters', 'TOKEN_CLAIM', () => sign(key, claims({ sub: 'd'.repeat(256) }))],
    ['with sub twice', 'TOKEN_MALFORMED', () => sign(key, JSON.stringify(claims()).replace('{', '{"sub":"sam",'))],
    ['with sub twice, once escaped', 'TOKEN_MALFORMED', () => sign(key, JSON.stringify(claims()).replace('{', '{"s\\u0075b":"sam",'))],
    ['with claims that are a list', 'TOKEN_MALFORMED', () => sign(key, '[]')],
    ['with claims that are not JSON', 'TOKEN_MALFORMED', () => sign(key, '{"sub":')],
    ['with a run that is a number', 'TOKEN_CLAIM', () => sign(key, claims({ run: 7 }))],
    ['with a jti that is a number', 'TOKEN_CLAIM', () => sign(key, claims({ jti: 7 }))],
    ['with act as a string', 'TOKEN_CLAIM', () => sign(key, claims({ act: 'planner' }))],
    ['with act without sub', 'TOKEN_CLAIM', () => sign(key, claims({ act: { sub: 'planner', act: {} } }))],
    ['with nine actors', 'TOKEN_CLAIM', () => sign(key, claims({ act: actChain(9) }))],
    ['with a hundred actors', 'TOKEN_MALFORMED', () => sign(key, claims({ act: actChain(100) }))],
    ['with a kind that is neither', 'TOKEN_CLAIM', () => sign(key, claims({ sallyport_kind: 'robot' }))],
    ['an ID token (at_hash)', 'TOKEN_CLAIM', () => sign(key, claims({ at_hash: 'AAAA' }), { typ: 'JWT' })],
    ['an ID token (Keycloak)', 'TOKEN_CLAIM', () => sign(key, claims({ typ: 'ID' }), { typ: 'JWT' })],
    ['an ID token (Cognito)', 'TOKEN_CLAIM', () => sign(key, claims({ token_use: 'id' }), { typ: undefined })],
    ['bound to a key of its sender', 'TOKEN_CLAIM', () => sign(key, claims({ cnf: { jkt: 'AAAA' } }))],
    ['larger than 16 KiB', 'TOKEN_TOO_LARGE', () => sign(key, claims({ pad: 'x'.repeat(16 * 1024) }))],
  ];

  it.each(refused)('%s: %s', async (_name, code, make) => {
    const token = make();
    const result = await identity.identify(token);
    expect(codeOf(result)).toBe(code);
    // P3: nothing of the token is in what goes to logs.
    for (const part of token.split('.').filter((part) => part.length > 8)) expect(JSON.stringify(result)).not.toContain(part);
    expect(codeOf(await identity.identify(sign(key, claims())))).toBe('accepted');
  });

  it('accepts eight actors, one byte less than too large, and a clock that is a little ahead', async () => {
    expect(codeOf(await identity.identify(sign(key, claims({ act: actChain(8) }))))).toBe('accepted');
    expect(codeOf(await identity.identify(sign(key, claims({ nbf: seconds() + 3, iat: seconds() + 3 }))))).toBe('accepted');
    const token = sign(key, claims());
    const limits = (maxTokenBytes: number) =>
      oidcIdentity({ providers: [{ name: 'c', issuer: issuer.issuer, audience: 'sallyport', groups: 'g' }], limits: { maxTokenBytes } });
    expect(codeOf(await limits(token.length).identify(token))).toBe('accepted');
    expect(codeOf(await limits(token.length - 1).identify(token))).toBe('TOKEN_TOO_LARGE');
  });
});

describe('groups', () => {
  const cases: [string, string, Record<string, unknown>, string[]][] = [
    ['a list of strings', 'groups', { groups: ['a', 'b', 'a'] }, ['a', 'b']],
    ['missing', 'groups', { groups: undefined }, []],
    ['a string', 'groups', { groups: 'dba' }, []],
    ['a string with commas', 'groups', { groups: 'dba,security' }, []],
    ['a list with a number', 'groups', { groups: ['dba', 7] }, []],
    ['a list of lists', 'groups', { groups: [['dba']] }, []],
    ['an object', 'groups', { groups: { 0: 'dba', length: 1 } }, []],
    ['nested', 'realm_access.roles', { realm_access: { roles: ['dba'] } }, ['dba']],
    ['nested in a list', 'realm_access.roles', { realm_access: [{ roles: ['dba'] }] }, []],
    ['a URL with dots', 'https://corp.example/groups', { 'https://corp.example/groups': ['dba'] }, ['dba']],
    ['an inherited name', 'constructor.name', {}, []],
  ];
  it.each(cases)('%s', async (_name, path, changes, expected) => {
    const one = identityFor({ groups: path });
    const result = await one.identify(sign(key, claims(changes)));
    one.close();
    expect(result.ok && result.principal.groups).toEqual(expected);
  });
});

describe('person or workload', () => {
  const rule = { claim: 'preferred_kind', workload: ['service'], person: ['human'] };
  const cases: [string, OidcProviderOptions['kind'], Record<string, unknown>, string][] = [
    ['a person by default', undefined, { client_id: 'cli' }, 'person'],
    ['client_id is sub', undefined, { client_id: 'dana' }, 'workload'],
    ['azp is sub', undefined, { azp: 'dana' }, 'workload'],
    ['Auth0', undefined, { gty: 'client-credentials' }, 'workload'],
    ['Entra ID', undefined, { idtyp: 'app' }, 'workload'],
    ['the claim of the development issuer', undefined, { sallyport_kind: 'person', client_id: 'dana' }, 'person'],
    ['a rule: workload', rule, { preferred_kind: 'service' }, 'workload'],
    ['a rule: person', rule, { preferred_kind: ['human'], client_id: 'dana' }, 'person'],
    ['a rule: both is a workload', rule, { preferred_kind: ['human', 'service'] }, 'workload'],
    ['a rule: neither is refused', rule, { preferred_kind: 'dog' }, 'TOKEN_CLAIM'],
    ['a rule: nothing is refused', rule, {}, 'TOKEN_CLAIM'],
  ];
  it.each(cases)('%s', async (_name, kind, changes, expected) => {
    const one = identityFor(kind ? { kind } : {});
    const result = await one.identify(sign(key, claims(changes)));
    one.close();
    expect(result.ok ? result.principal.kind : result.code).toBe(expected);
  });
});

describe('providers that can not be served', () => {
  const provider = { name: 'corp', issuer: 'https://idp.example.com', audience: 'sallyport', groups: 'groups' };
  const cases: [string, string, Partial<OidcProviderOptions>][] = [
    ['plain http to another machine', 'OIDC_URL', { issuer: 'http://idp.example.com' }],
    ['plain http to a name that looks like loopback', 'OIDC_URL', { issuer: 'http://127.0.0.1.evil.example' }],
    ['no URL', 'OIDC_URL', { issuer: 'idp.example.com' }],
    ['a file', 'OIDC_URL', { issuer: 'file:///etc/passwd' }],
    ['a query', 'OIDC_URL', { issuer: 'https://idp.example.com?x' }],
    ['a user in the URL', 'OIDC_URL', { issuer: 'https://u:p@idp.example.com' }],
    ['plain http for keys', 'OIDC_URL', { jwksUri: 'http://idp.example.com/keys' }],
    ['HMAC as algorithm', 'OIDC_ALGORITHM', { algorithms: ['HS256'] }],
    ['none as algorithm', 'OIDC_ALGORITHM', { algorithms: ['none'] }],
  ];
  it.each(cases)('%s', (_name, code, changes) => {
    expect(() => oidcIdentity({ providers: [{ ...provider, ...changes }] })).toThrow(expect.objectContaining({ code }));
  });

  it('one issuer twice', () => {
    expect(() => oidcIdentity({ providers: [provider, { ...provider, name: 'b' }] })).toThrow(
      expect.objectContaining({ code: 'OIDC_DUPLICATE_ISSUER' }),
    );
  });
});

function actChain(depth: number): unknown {
  return depth === 0 ? undefined : { sub: `actor-${depth}`, act: actChain(depth - 1) };
}

function withClaims(token: string, changed: Record<string, unknown>): string {
  const [head, , signature] = token.split('.');
  return `${head}.${Buffer.from(JSON.stringify(changed)).toString('base64url')}.${signature}`;
}

describe('a service whose clock may be off', () => {
  it.each([-300, 300])('P4: accepts what another one has accepted with a clock %d s away, and nothing beyond', async (offS) => {
    const off = oidcIdentity({
      providers: [{ name: 'corp', issuer: issuer.issuer, audience: 'sallyport', groups: 'groups' }],
      now: () => Date.now() + offS * 1000,
      skewMs: 300_000,
    });
    const fresh = sign(key, claims({ iat: seconds(), nbf: seconds(), exp: seconds() + 30 }));
    // The second time it is known.
    expect([codeOf(await off.identify(fresh)), codeOf(await off.identify(fresh))]).toEqual(['accepted', 'accepted']);
    const over = sign(key, claims({ exp: seconds() - 301 + offS }));
    const early = sign(key, claims({ nbf: seconds() + 310 + offS, exp: seconds() + 1000 }));
    expect([codeOf(await off.identify(over)), codeOf(await off.identify(early))]).toEqual(['TOKEN_EXPIRED', 'TOKEN_NOT_YET_VALID']);
    off.close();
  });
});
