import { calculateJwkThumbprint, type CryptoKey, importJWK, type JWK } from 'jose';
import { OidcError } from './errors.js';

/** One public key of an issuer. `thumbprint` (RFC 7638) tells keys apart when an issuer uses a key id twice. */
export interface IssuerKey {
  readonly keyId: string | undefined;
  readonly thumbprint: string;
  readonly jwk: JWK;
  /** Imported on first use, for one algorithm each: an RSA key without `alg` serves RS256 and PS256. */
  readonly imported: Map<string, Promise<CryptoKey | Uint8Array>>;
}

/** The keys of an issuer as of one fetch. `requestedAtMs` is when the fetch began: an answer is never newer than that. */
export interface KeySet {
  readonly requestedAtMs: number;
  readonly keys: readonly IssuerKey[];
  readonly thumbprints: ReadonlySet<string>;
}

export type KeyChoice =
  { readonly found: 'key'; readonly key: IssuerKey } | { readonly found: 'none' } | { readonly found: 'other-algorithm' };

const KEY_TYPES: Readonly<Record<string, { readonly kty: string; readonly crv?: string }>> = {
  RS: { kty: 'RSA' },
  PS: { kty: 'RSA' },
  ES256: { kty: 'EC', crv: 'P-256' },
  ES384: { kty: 'EC', crv: 'P-384' },
  ES512: { kty: 'EC', crv: 'P-521' },
  EdDSA: { kty: 'OKP', crv: 'Ed25519' },
  Ed25519: { kty: 'OKP', crv: 'Ed25519' },
};

/** A JWK Set (RFC 7517 section 5). Keys that sign nothing here (symmetric, for encryption, unknown types) are left out. */
export async function readKeySet(document: Readonly<Record<string, unknown>>, requestedAtMs: number, maxKeys: number): Promise<KeySet> {
  const list = document['keys'];
  if (!Array.isArray(list)) throw new OidcError('OIDC_KEYS', 'the key set has no list "keys"');
  if (list.length > maxKeys) throw new OidcError('OIDC_KEYS', `the key set has more than ${maxKeys} keys`);
  const keys: IssuerKey[] = [];
  for (const jwk of list as unknown[]) {
    if (!isSigningKey(jwk)) continue;
    try {
      keys.push({ keyId: jwk.kid, thumbprint: await calculateJwkThumbprint(jwk), jwk, imported: new Map() });
    } catch {
      // One broken key takes nothing from the others.
    }
  }
  return { requestedAtMs, keys, thumbprints: new Set(keys.map((key) => key.thumbprint)) };
}

function isSigningKey(value: unknown): value is JWK {
  if (typeof value !== 'object' || value === null) return false;
  const { kty, kid, alg, use, key_ops } = value as Record<string, unknown>;
  return (
    (kty === 'RSA' || kty === 'EC' || kty === 'OKP') &&
    (kid === undefined || typeof kid === 'string') &&
    (alg === undefined || typeof alg === 'string') &&
    (use === undefined || use === 'sig') &&
    (key_ops === undefined || (Array.isArray(key_ops) && key_ops.includes('verify')))
  );
}

/** The key that a token names. Without a key id exactly one key must fit: trying them in turn would hide which one vouched. */
export function chooseKey(set: KeySet, keyId: string | undefined, algorithm: string): KeyChoice {
  const named = keyId === undefined ? set.keys : set.keys.filter((key) => key.keyId === keyId);
  const fitting = named.filter((key) => fits(key.jwk, algorithm));
  const [key] = fitting;
  if (key && fitting.length === 1) return { found: 'key', key };
  return keyId !== undefined && named.length > 0 ? { found: 'other-algorithm' } : { found: 'none' };
}

function fits(jwk: JWK, algorithm: string): boolean {
  const type = KEY_TYPES[algorithm] ?? KEY_TYPES[algorithm.slice(0, 2)];
  if (!type || jwk.kty !== type.kty || (type.crv !== undefined && jwk.crv !== type.crv)) return false;
  return jwk.alg === undefined || jwk.alg === algorithm;
}

/** The public half only, whatever else the issuer published by mistake. Rejects when the key is broken. */
export function importFor(key: IssuerKey, algorithm: string): Promise<CryptoKey | Uint8Array> {
  let imported = key.imported.get(algorithm);
  if (!imported) {
    const { kty = '', n, e, crv, x, y } = key.jwk;
    const members = Object.entries({ kty, n, e, crv, x, y }).filter(([, value]) => value !== undefined);
    imported = importJWK(Object.fromEntries(members) as JWK, algorithm);
    key.imported.set(algorithm, imported);
  }
  return imported;
}
