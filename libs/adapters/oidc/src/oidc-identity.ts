import {
  type ClaimRules,
  type Identified,
  type IdentityPort,
  principalFromClaims,
  readJsonObject,
  readTokenForm,
} from '@sallyport/identity';
import { compactVerify } from 'jose';
import { IssuerKeys } from './issuer-keys.js';
import { type IssuerKey, importFor } from './key-set.js';
import { checkProviders, DEFAULT_ALGORITHMS, DEFAULT_OIDC_LIMITS, type OidcIdentityOptions, type OidcLimits } from './options.js';
import { VerifiedTokens } from './verified-tokens.js';

interface Provider {
  readonly rules: ClaimRules;
  readonly algorithms: readonly string[];
  readonly keys: IssuerKeys;
}

export type OidcIdentity = IdentityPort & {
  /** Ends fetches that are under way and forgets everything. Later calls answer `ISSUER_UNREACHABLE`. */
  close(): void;
};

/**
 * JWT access tokens of OpenID Connect issuers (RFC 9068, RFC 7519, OpenID Connect Discovery 1.0). Throws `OidcError` for providers that
 * can't be served; touches no network before the first token of an issuer comes.
 */
export function oidcIdentity({ providers, limits: changed, now = Date.now, skewMs = 0 }: OidcIdentityOptions): OidcIdentity {
  checkProviders(providers);
  const limits: OidcLimits = { ...DEFAULT_OIDC_LIMITS, ...changed };
  const byIssuer = new Map<string, Provider>(
    providers.map((options) => [
      options.issuer,
      {
        rules: {
          provider: options.name,
          issuer: options.issuer,
          audience: options.audience,
          groups: options.groups,
          ...(options.kind ? { kind: options.kind } : {}),
          clockToleranceMs: (options.clockToleranceMs ?? 5000) + skewMs,
          expiryToleranceMs: skewMs,
          maxActorDepth: limits.maxActorDepth,
        },
        algorithms: options.algorithms ?? DEFAULT_ALGORITHMS,
        keys: new IssuerKeys(options, limits, now),
      },
    ]),
  );
  const verified = new VerifiedTokens(limits.maxVerifiedTokens);

  async function identify(token: string, signal?: AbortSignal): Promise<Identified> {
    const form = readTokenForm(token, limits.maxTokenBytes);
    if (!form.ok) return form;
    const { algorithm, keyId, issuer } = form.token;
    const provider = byIssuer.get(issuer);
    if (!provider) return refuse('TOKEN_UNKNOWN_ISSUER', 'the issuer of the token is not configured');
    if (!provider.algorithms.includes(algorithm)) return refuse('TOKEN_ALGORITHM', 'the algorithm of the token is not accepted');

    const digest = VerifiedTokens.digest(token);
    const known = verified.get(digest, now() - skewMs, ({ thumbprint }) => provider.keys.stands(thumbprint));
    if (known) return { ok: true, principal: known.principal };

    const found = await provider.keys.find(keyId, algorithm, signal);
    if (!found.ok) return noKey(found.reason);
    const claims = await verifySignature(token, found.key, algorithm);
    if (!claims) return refuse('TOKEN_SIGNATURE', 'the signature of the token is wrong');
    const result = principalFromClaims(claims, provider.rules, now());
    if (result.ok) verified.add(digest, { principal: result.principal, thumbprint: found.key.thumbprint });
    return result;
  }

  return {
    identify,
    close() {
      for (const { keys } of byIssuer.values()) keys.close();
      verified.clear();
    },
  };
}

/** The claims, or undefined. Whatever jose says of a bad signature or key stays here: its errors may quote the token. */
async function verifySignature(token: string, key: IssuerKey, algorithm: string): Promise<Readonly<Record<string, unknown>> | undefined> {
  try {
    const { payload } = await compactVerify(token, await importFor(key, algorithm), { algorithms: [algorithm] });
    return readJsonObject(payload);
  } catch {
    return undefined;
  }
}

function noKey(reason: 'unknown-key' | 'other-algorithm' | 'unreachable'): Identified {
  switch (reason) {
    case 'unknown-key':
      return refuse('TOKEN_UNKNOWN_KEY', 'the issuer has no such key');
    case 'other-algorithm':
      return refuse('TOKEN_ALGORITHM', 'the key is for another algorithm');
    case 'unreachable':
      return refuse('ISSUER_UNREACHABLE', 'the keys of the issuer could not be fetched in time');
  }
}

function refuse(code: Extract<Identified, { ok: false }>['code'], detail: string): Identified {
  return { ok: false, code, detail };
}
