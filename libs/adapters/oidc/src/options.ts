import type { KindRule } from '@sallyport/identity';
import { OidcError } from './errors.js';

/** Algorithms that a provider may be configured with: asymmetric ones only (RFC 7518 section 3.1, RFC 8037, RFC 9864). */
export const ALGORITHMS = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'] as const;

export const DEFAULT_ALGORITHMS: readonly string[] = ['RS256', 'PS256', 'ES256', 'EdDSA'];

/** One issuer whose tokens open the first door. */
export interface OidcProviderOptions {
  /** The name in the configuration. */
  readonly name: string;
  /** Exactly as in the tokens' `iss` and in the issuer's own discovery document. https, or http on a loopback address. */
  readonly issuer: string;
  readonly audience: string;
  /** Claim name, or a dotted path. */
  readonly groups: string;
  /** How to tell a person from a workload. Absent: the default rule of `@sallyport/identity`. */
  readonly kind?: KindRule;
  readonly algorithms?: readonly string[];
  /** How far the issuer's clock may run ahead, for `nbf` and `iat`; default 5000. */
  readonly clockToleranceMs?: number;
  /** Skips discovery. The same rule for its scheme as for `issuer`. */
  readonly jwksUri?: string;
}

export interface OidcLimits {
  /** How long a sign-in waits for an issuer at most; also the end of a fetch. */
  readonly issuerTimeoutMs: number;
  readonly maxTokenBytes: number;
  readonly maxActorDepth: number;
  /** Sign-ins that may wait for one issuer at a time. */
  readonly maxIssuerWaiters: number;
  /** A discovery document or a key set larger than this is not read. */
  readonly issuerResponseMaxBytes: number;
  readonly maxIssuerKeys: number;
  /** Keys older than this verify nothing; they are fetched anew in the background from half of it on. */
  readonly keysMaxAgeMs: number;
  /** Unknown key ids fetch the keys at most once in this time. */
  readonly keysRefetchIntervalMs: number;
  /** After a fetch that failed the next one waits this long. */
  readonly issuerRetryMs: number;
  /** Tokens whose signature is remembered as verified. */
  readonly maxVerifiedTokens: number;
}

export const DEFAULT_OIDC_LIMITS: OidcLimits = {
  issuerTimeoutMs: 5000,
  maxTokenBytes: 16 * 1024,
  maxActorDepth: 8,
  maxIssuerWaiters: 1000,
  issuerResponseMaxBytes: 256 * 1024,
  maxIssuerKeys: 100,
  keysMaxAgeMs: 5 * 60_000,
  keysRefetchIntervalMs: 30_000,
  issuerRetryMs: 1000,
  maxVerifiedTokens: 10_000,
};

export interface OidcIdentityOptions {
  readonly providers: readonly OidcProviderOptions[];
  readonly limits?: Partial<OidcLimits>;
  /** Milliseconds since the epoch; default `Date.now`. */
  readonly now?: () => number;
  /**
   * How far this clock may be off the clock of another service that has seen the token: it is accepted that much before its `nbf` and
   * `iat`, and that much after its `exp`. Default 0, for who decides how long a session lasts.
   */
  readonly skewMs?: number;
}

/** A URL that may be fetched: https, or http where the bytes don't leave the machine. Throws {@link OidcError}. */
export function checkedUrl(text: string, what: string): URL {
  let url: URL;
  try {
    url = new URL(text);
  } catch (cause) {
    throw new OidcError('OIDC_URL', `${what} is not a URL`, { cause });
  }
  const isSafe = url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback(url.hostname));
  if (!isSafe) throw new OidcError('OIDC_URL', `${what} must be https (plain http is for loopback addresses only)`);
  if (url.username || url.password) throw new OidcError('OIDC_URL', `${what} must not carry a user or a password`);
  return url;
}

/** By address, or by the one name that RFC 6761 section 6.3 keeps for loopback. */
export function isLoopback(hostname: string): boolean {
  return /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(hostname) || hostname === '[::1]' || hostname === 'localhost';
}

/** Refuses what can't be served, when the process starts rather than at the first sign-in. Throws {@link OidcError}. */
export function checkProviders(providers: readonly OidcProviderOptions[]): void {
  const issuers = new Set<string>();
  for (const { name, issuer, jwksUri, algorithms = [] } of providers) {
    const url = checkedUrl(issuer, `the issuer of provider ${name}`);
    if (url.search || url.hash || issuer.includes('?') || issuer.includes('#')) {
      throw new OidcError('OIDC_URL', `the issuer of provider ${name} must have no query and no fragment`);
    }
    if (jwksUri !== undefined) checkedUrl(jwksUri, `jwksUri of provider ${name}`);
    if (issuers.has(issuer)) throw new OidcError('OIDC_DUPLICATE_ISSUER', `provider ${name} repeats the issuer of another one`);
    issuers.add(issuer);
    const unknown = algorithms.find((algorithm) => !(ALGORITHMS as readonly string[]).includes(algorithm));
    if (unknown) throw new OidcError('OIDC_ALGORITHM', `provider ${name}: ${unknown} is not one of ${ALGORITHMS.join(', ')}`);
  }
}
