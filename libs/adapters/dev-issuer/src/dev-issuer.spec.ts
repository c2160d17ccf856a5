import { createHash, randomBytes } from 'node:crypto';
import { type OidcIdentity, oidcIdentity } from '@sallyport/adapter-oidc';
import { decodeJwt, decodeProtectedHeader } from 'jose';
import { type DevIssuer, startDevIssuer } from './dev-issuer.js';
import { DEV_PRINCIPALS } from './principals.js';
import { DEV_CLIENT_ID } from './provider.js';

let dev: DevIssuer;
let identity: OidcIdentity;
const errors: unknown[] = [];

beforeAll(async () => {
  dev = await startDevIssuer({ principals: DEV_PRINCIPALS, accessTokenTtlMs: 600_000, onError: (error) => errors.push(error) });
  identity = oidcIdentity({ providers: [{ name: 'dev', issuer: dev.issuer, audience: 'sallyport', groups: 'groups' }] });
});

afterAll(async () => {
  identity.close();
  await dev.close();
  expect(errors.filter((error) => error instanceof TypeError)).toEqual([]);
});

async function principalOf(token: string) {
  const result = await identity.identify(token);
  if (!result.ok) throw new Error(result.code);
  return result.principal;
}

/** A browser, as far as this needs one: keeps cookies, follows redirects on this issuer, stops at the first one elsewhere. */
function browser() {
  const cookies = new Map<string, string>();
  return async function go(url: string, body?: Record<string, string>): Promise<{ url: string; html: string; status: number }> {
    let at = new URL(url, dev.issuer);
    let form = body;
    for (let hop = 0; hop < 10; hop++) {
      const response = await fetch(at, {
        method: form ? 'POST' : 'GET',
        redirect: 'manual',
        headers: { cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; '), ...(form ? { origin: dev.issuer } : {}) },
        ...(form ? { body: new URLSearchParams(form) } : {}),
      });
      for (const line of response.headers.getSetCookie()) {
        const [pair = ''] = line.split(';');
        cookies.set(pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1));
      }
      const location = response.headers.get('location');
      if (!location) return { url: at.href, html: await response.text(), status: response.status };
      at = new URL(location, at);
      form = undefined;
      if (at.origin !== dev.issuer) return { url: at.href, html: '', status: response.status };
    }
    throw new Error('too many redirects');
  };
}

function hiddenFields(html: string): Record<string, string> {
  return Object.fromEntries(
    [...html.matchAll(/type="hidden" name="(\w+)" value="([^"]*)"/g)].map(([, name = '', value = '']) => [name, value]),
  );
}

async function tokenRequest(parameters: Record<string, string>): Promise<{ status: number; body: Record<string, string> }> {
  const response = await fetch(`${dev.issuer}/token`, {
    method: 'POST',
    body: new URLSearchParams({ client_id: DEV_CLIENT_ID, ...parameters }),
  });
  return { status: response.status, body: (await response.json()) as Record<string, string> };
}

describe('tokens', () => {
  it('are had for everybody, and the edge knows whose they are', async () => {
    const tokens = await dev.tokens();
    expect(Object.keys(tokens)).toEqual(['agent-analyst', 'crew-stock', 'dana', 'sam']);
    const of = async (subject: string) => principalOf(tokens[subject] ?? '');
    expect(await of('agent-analyst')).toMatchObject({ subject: 'agent-analyst', kind: 'workload', groups: ['analysts'], actors: [] });
    expect(await of('crew-stock')).toMatchObject({ kind: 'workload', groups: ['crews'], actors: [{ subject: 'agent-stock-planner' }] });
    expect(await of('dana')).toMatchObject({ subject: 'dana', kind: 'person', groups: ['dba'], issuer: dev.issuer, provider: 'dev' });
    expect(await of('sam')).toMatchObject({ kind: 'person', groups: ['security'] });
  });

  it('are JWT access tokens of RFC 9068, signed with ES256', async () => {
    const token = await dev.tokenFor('dana');
    expect(decodeProtectedHeader(token)).toEqual({ alg: 'ES256', typ: 'at+jwt', kid: expect.any(String) });
    const claims = decodeJwt(token);
    expect(claims).toMatchObject({ iss: dev.issuer, aud: 'sallyport', sub: 'dana', client_id: DEV_CLIENT_ID });
    expect((claims.exp ?? 0) - (claims.iat ?? 0)).toBe(600);
  });

  it('may say other things when asked to', async () => {
    const token = await dev.tokenFor('agent-analyst', {
      ttlMs: 1500,
      groups: ['crews'],
      run: 'run-7',
      actors: [{ subject: 'a' }, { subject: 'b', issuer: 'https://b.example' }],
    });
    expect(await principalOf(token)).toMatchObject({
      groups: ['crews'],
      run: 'run-7',
      actors: [{ subject: 'a' }, { subject: 'b', issuer: 'https://b.example' }],
    });
    const claims = decodeJwt(token);
    expect((claims.exp ?? 0) - (claims.iat ?? 0)).toBe(2);
    const other = await dev.tokenFor('sam', { audience: 'elsewhere' });
    expect(await identity.identify(other)).toMatchObject({ code: 'TOKEN_AUDIENCE' });
    // And only that once.
    expect(await principalOf(await dev.tokenFor('agent-analyst'))).toMatchObject({ groups: ['analysts'] });
  });

  it('are had by a workload with its own credentials, and by nobody with wrong ones', async () => {
    const ask = async (secret: string) =>
      fetch(`${dev.issuer}/token`, {
        method: 'POST',
        headers: { authorization: `Basic ${Buffer.from(`crew-stock:${secret}`).toString('base64')}` },
        body: new URLSearchParams({ grant_type: 'client_credentials' }),
      });
    const { clientSecret } = dev.clientCredentials('crew-stock');
    const { access_token: token } = (await (await ask(clientSecret)).json()) as { access_token: string };
    expect(await principalOf(token)).toMatchObject({ subject: 'crew-stock', kind: 'workload' });
    expect((await ask('wrong')).status).toBe(401);
    expect(() => dev.clientCredentials('dana')).toThrow(expect.objectContaining({ code: 'DEV_ISSUER_PRINCIPALS' }));
    await expect(dev.tokenFor('nobody')).rejects.toMatchObject({ code: 'DEV_ISSUER_PRINCIPALS' });
  });
});

describe('signing in as a person', () => {
  const verifier = randomBytes(32).toString('base64url');
  const challenge = createHash('sha256').update(verifier).digest('base64url');
  const redirectUri = 'http://127.0.0.1:23456/callback';
  const authorize = (changes: Record<string, string> = {}) =>
    `/auth?${new URLSearchParams({
      client_id: DEV_CLIENT_ID,
      response_type: 'code',
      scope: 'openid',
      redirect_uri: redirectUri,
      state: 'st',
      code_challenge: challenge,
      code_challenge_method: 'S256',
      ...changes,
    }).toString()}`;

  it('takes one click (authorization code, PKCE)', async () => {
    const go = browser();
    const login = await go(authorize());
    expect(login.html).toContain('value="dana"');
    expect(login.html).not.toContain('agent-analyst');
    const back = new URL((await go(login.url, { subject: 'dana' })).url);
    expect(back.origin + back.pathname).toBe(redirectUri);
    const code = back.searchParams.get('code') ?? '';
    const exchange = { grant_type: 'authorization_code', code, redirect_uri: redirectUri };
    const { body } = await tokenRequest({ ...exchange, code_verifier: verifier });
    expect(await principalOf(body['access_token'] ?? '')).toMatchObject({ subject: 'dana', kind: 'person', groups: ['dba'] });
    // The ID token beside it opens nothing.
    expect(await identity.identify(body['id_token'] ?? '')).toMatchObject({ ok: false });
    expect((await tokenRequest({ ...exchange, code_verifier: verifier })).body['error']).toBe('invalid_grant');
  });

  it('needs the verifier of the challenge, a known person and a loopback redirect', async () => {
    const go = browser();
    const login = await go(authorize());
    expect((await go(login.url, { subject: 'agent-analyst' })).status).toBe(400);
    const back = new URL((await go(login.url, { subject: 'sam' })).url);
    const code = back.searchParams.get('code') ?? '';
    const wrong = await tokenRequest({
      grant_type: 'authorization_code',
      code,
      redirect_uri: redirectUri,
      code_verifier: randomBytes(32).toString('base64url'),
    });
    expect(wrong.body['error']).toBe('invalid_grant');
    expect((await browser()(authorize({ redirect_uri: 'https://evil.example/callback' }))).status).toBe(400);
    expect((await browser()(authorize({ code_challenge: '' }))).url).toContain('error=invalid_request');
  });

  it('works with a code on another screen (device flow)', async () => {
    const response = await fetch(`${dev.issuer}/device/auth`, {
      method: 'POST',
      body: new URLSearchParams({ client_id: DEV_CLIENT_ID, scope: 'openid' }),
    });
    const device = (await response.json()) as Record<string, string>;
    const poll = { grant_type: 'urn:ietf:params:oauth:grant-type:device_code', device_code: device['device_code'] ?? '' };
    expect((await tokenRequest(poll)).body['error']).toBe('authorization_pending');

    const go = browser();
    const entered = await go(device['verification_uri_complete'] ?? '');
    const confirm = await go(device['verification_uri'] ?? '', hiddenFields(entered.html));
    expect(confirm.html).toContain(device['user_code']);
    const login = await go(device['verification_uri'] ?? '', hiddenFields(confirm.html));
    expect(login.html).toContain('value="sam"');
    const done = await go(login.url, { subject: 'sam' });
    expect(done.html).toContain('Signed in');
    const { body } = await tokenRequest(poll);
    expect(await principalOf(body['access_token'] ?? '')).toMatchObject({ subject: 'sam', kind: 'person' });
  });

  it('refuses a page elsewhere that posts here, and another host name', async () => {
    const login = await browser()(authorize());
    const posted = await fetch(login.url, { method: 'POST', headers: { origin: 'https://evil.example' }, body: 'subject=dana' });
    expect(posted.status).toBe(403);
    const renamed = await fetch(`http://localhost:${new URL(dev.issuer).port}/.well-known/openid-configuration`);
    expect(renamed.status).toBe(403);
    expect((await fetch(`${dev.issuer}/interaction/made-up`)).status).toBe(400);
  });

  it('P9: reads no form larger than it needs', async () => {
    const login = await browser()(authorize());
    const answer = await fetch(login.url, { method: 'POST', body: `subject=dana&pad=${'x'.repeat(5000)}` }).catch(() => undefined);
    expect(answer === undefined || answer.status >= 400).toBe(true);
  });
});

describe('keys', () => {
  it('rotate: the old key stays until it is withdrawn', async () => {
    const own = await startDevIssuer({ principals: DEV_PRINCIPALS });
    const provider = { name: 'dev', issuer: own.issuer, audience: 'sallyport', groups: 'groups' };
    const one = oidcIdentity({ providers: [provider], limits: { keysRefetchIntervalMs: 0 } });
    try {
      const old = await own.tokenFor('dana');
      expect(await one.identify(old)).toMatchObject({ ok: true });
      await own.rotateKeys();
      const fresh = await own.tokenFor('dana');
      expect(decodeProtectedHeader(fresh).kid).not.toBe(decodeProtectedHeader(old).kid);
      expect(await one.identify(fresh)).toMatchObject({ ok: true });
      expect(await one.identify(old)).toMatchObject({ ok: true });
      await own.rotateKeys({ withdraw: true });
      expect(await one.identify(await own.tokenFor('agent-analyst'))).toMatchObject({ ok: true });
      expect(await one.identify(fresh)).toMatchObject({ code: 'TOKEN_UNKNOWN_KEY' });
    } finally {
      one.close();
      await own.close();
    }
  });
});

describe('starting', () => {
  it.each(['0.0.0.0', '::', '192.168.1.2', 'localhost', '128.0.0.1'])('refuses to listen on %s', async (address) => {
    await expect(startDevIssuer({ address, principals: DEV_PRINCIPALS })).rejects.toMatchObject({ code: 'DEV_ISSUER_NOT_LOOPBACK' });
  });

  it('refuses a subject twice and the name of its own client', async () => {
    const person = { subject: 'dana', kind: 'person', groups: [] } as const;
    await expect(startDevIssuer({ principals: [person, person] })).rejects.toMatchObject({ code: 'DEV_ISSUER_PRINCIPALS' });
    await expect(startDevIssuer({ principals: [{ ...person, subject: DEV_CLIENT_ID }] })).rejects.toMatchObject({
      code: 'DEV_ISSUER_PRINCIPALS',
    });
  });

  it('says so when its port is taken', async () => {
    const port = Number(new URL(dev.issuer).port);
    await expect(startDevIssuer({ port, principals: DEV_PRINCIPALS })).rejects.toMatchObject({ code: 'DEV_ISSUER_PORT' });
  });
});
