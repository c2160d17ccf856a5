import { CompactEncrypt, compactDecrypt, exportJWK, generateKeyPair, importJWK, type JWK } from 'jose';

import { LeaseError } from './errors.js';
import type { PostgresSecret } from './lease.js';

/** Longest sealed secret that is looked at, in characters. */
export const SEALED_MAX_CHARS = 16 * 1024;

const ALGORITHM = 'ECDH-ES';
const ENCRYPTION = 'A256GCM';
const CURVE = 'P-256';
const TYPE = 'sallyport-lease+jwe';

/** What a sealed secret is bound to: it opens for this session and this lease only. */
export interface SealBinding {
  readonly session: string;
  readonly lease: string;
}

/** The edge's half: the private key stays inside, can't be exported, and is forgotten with the session. */
export interface SessionKeyPair {
  /** Goes with the lease request. */
  readonly publicKey: JWK;
  /**
   * Opens what was sealed to `publicKey`. Rejects with `LEASE_SEAL_REFUSED` when the key, the bytes, the session or the lease
   * don't match: always the same message, so that nothing is learned from it.
   */
  open(sealed: string, binding: SealBinding): Promise<PostgresSecret>;
}

const encoder = new TextEncoder();

/** The protected header is authenticated with the cipher text (RFC 7516 section 5.1 step 14): what it says can't be changed. */
function protectedHeader(binding: SealBinding) {
  return { alg: ALGORITHM, enc: ENCRYPTION, typ: TYPE, session: binding.session, lease: binding.lease } as const;
}

/**
 * PartyVInfo of the key agreement (RFC 7518 section 4.6.1): bound a second time, inside the key itself. PartyUInfo is the
 * vendor's lease, PartyVInfo the edge's session.
 */
function parties(binding: SealBinding): { apu: Uint8Array; apv: Uint8Array } {
  return { apu: encoder.encode(binding.lease), apv: encoder.encode(binding.session) };
}

function same(header: unknown, expected: Uint8Array): boolean {
  return header === Buffer.from(expected).toString('base64url');
}

async function vendorKey(publicKey: JWK) {
  // Only the public members, whatever else was sent.
  const { kty, crv, x, y } = publicKey;
  if (kty !== 'EC' || crv !== CURVE || typeof x !== 'string' || typeof y !== 'string' || 'd' in publicKey) {
    throw new LeaseError('LEASE_KEY_INVALID', 'the public key must be an EC P-256 JWK without its private part');
  }
  try {
    return await importJWK({ kty, crv, x, y }, ALGORITHM);
  } catch {
    throw new LeaseError('LEASE_KEY_INVALID', 'the public key is not a point on P-256');
  }
}

/** Rejects with `LEASE_KEY_INVALID` what `seal` would not take: asked before a credential is made. */
export async function checkSessionKey(publicKey: JWK): Promise<void> {
  await vendorKey(publicKey);
}

/**
 * The vendor's half: a compact JWE (RFC 7516), ECDH-ES with A256GCM, that only the session's private key opens. Each call makes
 * an ephemeral key of its own. Rejects with `LEASE_KEY_INVALID`.
 */
export async function seal(secret: PostgresSecret, publicKey: JWK, binding: SealBinding): Promise<string> {
  const key = await vendorKey(publicKey);
  const plain = encoder.encode(JSON.stringify({ user: secret.user, password: secret.password }));
  try {
    return await new CompactEncrypt(plain)
      .setProtectedHeader(protectedHeader(binding))
      .setKeyManagementParameters(parties(binding))
      .encrypt(key);
  } finally {
    plain.fill(0);
  }
}

function parse(plain: Uint8Array): PostgresSecret {
  const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(plain));
  const { user, password } = (value ?? {}) as Partial<PostgresSecret>;
  if (typeof user !== 'string' || typeof password !== 'string') throw new TypeError('not a secret');
  return { user, password };
}

/** Makes a key pair for one session. Never reuse it for another. */
export async function sessionKeyPair(): Promise<SessionKeyPair> {
  const pair = await generateKeyPair(ALGORITHM, { crv: CURVE, extractable: false });
  const { kty, crv, x, y } = await exportJWK(pair.publicKey);
  const publicKey: JWK = { kty: kty ?? '', ...(crv ? { crv } : {}), ...(x ? { x } : {}), ...(y ? { y } : {}) };
  return {
    publicKey,
    async open(sealed, binding) {
      // No cause is kept: an error of the parser could quote the plain text.
      const refused = () => new LeaseError('LEASE_SEAL_REFUSED', 'the sealed lease does not open for this session');
      if (typeof sealed !== 'string' || sealed.length > SEALED_MAX_CHARS) throw refused();
      let plain: Uint8Array | undefined;
      try {
        const opened = await compactDecrypt(sealed, pair.privateKey, {
          keyManagementAlgorithms: [ALGORITHM],
          contentEncryptionAlgorithms: [ENCRYPTION],
        });
        plain = opened.plaintext;
        const header = opened.protectedHeader;
        const { apu, apv } = parties(binding);
        const bound =
          header.typ === TYPE &&
          header['session'] === binding.session &&
          header['lease'] === binding.lease &&
          same(header.apu, apu) &&
          same(header.apv, apv);
        if (!bound) throw refused();
        return parse(plain);
      } catch {
        throw refused();
      } finally {
        plain?.fill(0);
      }
    },
  };
}
