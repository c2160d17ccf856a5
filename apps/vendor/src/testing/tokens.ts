import { oidcIdentity, type OidcIdentity } from '@sallyport/adapter-oidc';
import { sign, startTestIssuer, testKey } from '@sallyport/adapter-oidc/testing';

export interface Tokens {
  /** A token of that subject; claims on top of the usual ones. */
  of(subject: string, claims?: Record<string, unknown>): string;
  readonly issuer: string;
  /** Another one each time: nothing is remembered between services. */
  identity(options?: { readonly now?: () => number; readonly skewMs?: number }): OidcIdentity;
  close(): Promise<void>;
}

/** For specs: a real issuer over HTTP, and tokens that it has signed. */
export async function startTokens(): Promise<Tokens> {
  const key = await testKey('k1');
  const issuer = await startTestIssuer([key]);
  const identities: OidcIdentity[] = [];
  return {
    issuer: issuer.issuer,
    of(subject, claims = {}) {
      const nowS = Math.floor(Date.now() / 1000);
      return sign(key, { iss: issuer.issuer, aud: 'sallyport', sub: subject, iat: nowS, exp: nowS + 3600, groups: ['agents'], ...claims });
    },
    identity(options) {
      const provider = { name: 'test', issuer: issuer.issuer, audience: 'sallyport', groups: 'groups' };
      const identity = oidcIdentity({ providers: [provider], ...options });
      identities.push(identity);
      return identity;
    },
    async close() {
      for (const identity of identities) identity.close();
      await issuer.close();
    },
  };
}
