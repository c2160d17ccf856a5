import { createECDH, type ECDH } from 'node:crypto';
import type { SigningKey } from '@sallyport/events';
import { GeneralEncrypt, generalDecrypt, importJWK, type GeneralJWE, type JWK } from 'jose';
import { TrustError } from './trust-error.js';

const ALGORITHM = 'ECDH-ES+A256KW';
const ENCRYPTION = 'A256GCM';
const CURVE = 'prime256v1';
const TYPE = 'sallyport-sealed+jwe';

/** Longest text that is sealed, and longest seal that is looked at, in characters. */
export const SEALED_LIMITS = { maxPlainChars: 64 * 1024, maxSealedChars: 256 * 1024, maxRecipients: 64 } as const;

/** A public key that others seal to: an EC P-256 JWK. */
export interface SealKey {
  readonly kty: 'EC';
  readonly crv: 'P-256';
  readonly x: string;
  readonly y: string;
}

/**
 * The key that a service opens seals with, derived from its signing key (HKDF, RFC 5869): one secret to keep, and two keys that are
 * never used for each other's work.
 */
export function sealKeyOf(key: SigningKey): SealKey {
  const { x, y } = jwkOf(ecdhOf(key));
  return { kty: 'EC', crv: 'P-256', x, y };
}

/** What a seal is bound to, such as `{ purpose: 'lease', session: 'S' }`: it opens only for who says the same. */
export type SealBinding = Readonly<Record<string, string>>;

/**
 * Seals a text so that each of these services can open it, and nobody else on the bus: a JWE in general serialisation (RFC 7516
 * section 7.2.1), ECDH-ES+A256KW with A256GCM. Rejects with `TRUST_NO_RECIPIENT`.
 */
export async function sealTo(recipients: readonly SealKey[], text: string, binding: SealBinding): Promise<string> {
  const { maxPlainChars, maxRecipients } = SEALED_LIMITS;
  if (recipients.length === 0) throw new TrustError('TRUST_NO_RECIPIENT', 'nobody who could open it has announced itself yet');
  if (recipients.length > maxRecipients || text.length > maxPlainChars) throw new TrustError('TRUST_SEAL_REFUSED', 'too much to seal');
  const jwe = new GeneralEncrypt(new TextEncoder().encode(text)).setProtectedHeader({ enc: ENCRYPTION, typ: TYPE, bound: bound(binding) });
  for (const { kty, crv, x, y } of recipients) {
    jwe.addRecipient(await importJWK({ kty, crv, x, y }, ALGORITHM)).setUnprotectedHeader({ alg: ALGORITHM });
  }
  return JSON.stringify(await jwe.encrypt());
}

/** Opens what was sealed to this service. Rejects with `TRUST_SEAL_REFUSED`, always in the same words. */
export async function openSealed(key: SigningKey, sealed: unknown, binding: SealBinding): Promise<string> {
  const refused = () => new TrustError('TRUST_SEAL_REFUSED', 'what was sealed does not open here');
  if (typeof sealed !== 'string' || sealed.length > SEALED_LIMITS.maxSealedChars) throw refused();
  try {
    const ecdh = ecdhOf(key);
    const own = await importJWK({ ...jwkOf(ecdh), d: ecdh.getPrivateKey().toString('base64url') }, ALGORITHM);
    const jwe = JSON.parse(sealed) as GeneralJWE;
    if (!Array.isArray(jwe.recipients) || jwe.recipients.length > SEALED_LIMITS.maxRecipients) throw refused();
    const { plaintext, protectedHeader } = await generalDecrypt(jwe, own, {
      keyManagementAlgorithms: [ALGORITHM],
      contentEncryptionAlgorithms: [ENCRYPTION],
    });
    if (protectedHeader?.typ !== TYPE || protectedHeader['bound'] !== bound(binding)) throw refused();
    return new TextDecoder('utf-8', { fatal: true }).decode(plaintext);
  } catch {
    // No cause is kept: an error of a parser could quote the plain text.
    throw refused();
  }
}

function bound(binding: SealBinding): string {
  return JSON.stringify(Object.entries(binding).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function ecdhOf(key: SigningKey): ECDH {
  const ecdh = createECDH(CURVE);
  for (let attempt = 0; ; attempt++) {
    try {
      ecdh.setPrivateKey(key.derive(`sallyport.seal.v1 ${attempt}`));
      return ecdh;
    } catch (error) {
      // About one in four billion scalars is none of the curve's.
      if (attempt >= 8) throw error;
    }
  }
}

function jwkOf(ecdh: ECDH): JWK & SealKey {
  const point = ecdh.getPublicKey();
  return { kty: 'EC', crv: 'P-256', x: point.subarray(1, 33).toString('base64url'), y: point.subarray(33).toString('base64url') };
}
