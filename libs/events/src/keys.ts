import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, hkdfSync, sign, verify } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { chmod, link, mkdir, open, readFile, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { EventError } from './event-error.js';

/** The public half of a service's Ed25519 key, under the name that its signatures carry. */
export interface VerifierKey {
  /** `edge/NAME` signs sessions, `ledger/NAME` signs checkpoints: a key is believed for its own role only. */
  readonly name: string;
  /** First 16 hex digits of the SHA-256 of the raw public key. */
  readonly id: string;
  /** 32 bytes. */
  readonly publicKey: Buffer;
  /** False for anything but a 64 byte Ed25519 signature (RFC 8032) of these bytes by this key. Never throws. */
  verify(bytes: Uint8Array, signature: Uint8Array): boolean;
}

export interface SigningKey extends VerifierKey {
  /** 64 bytes. */
  sign(bytes: Uint8Array): Buffer;
  /** 32 secret bytes for another purpose: HKDF-SHA256 (RFC 5869) of the key's seed, under a name. They tell nothing of the key. */
  derive(info: string): Buffer;
}

/** The algorithm byte of Ed25519 in C2SP signed-note. */
const NOTE_ED25519 = 0x01;
const SPKI_PREFIX = Buffer.from('302a300506032b6570032100', 'hex');
/** C2SP signed-note: a key name has no space and no plus; ours also have nothing that needs escaping in a file or a URL. */
const KEY_NAME = /^[0-9A-Za-z][0-9A-Za-z._/-]{0,127}$/;

export function keyId(publicKey: Uint8Array): string {
  return createHash('sha256').update(publicKey).digest('hex').slice(0, 16);
}

/** C2SP signed-note: the first four bytes of SHA-256(name, newline, algorithm, public key). */
export function noteKeyHash(name: string, publicKey: Uint8Array): Buffer {
  return createHash('sha256').update(`${name}\n`).update(Buffer.of(NOTE_ED25519)).update(publicKey).digest().subarray(0, 4);
}

/** C2SP signed-note verifier key: `NAME+HASH+BASE64(0x01 || PUBLIC KEY)`. */
export function formatVerifierKey({ name, publicKey }: Pick<VerifierKey, 'name' | 'publicKey'>): string {
  const encoded = Buffer.concat([Buffer.of(NOTE_ED25519), publicKey]).toString('base64');
  return `${name}+${noteKeyHash(name, publicKey).toString('hex')}+${encoded}`;
}

/** Throws `KEY_VERIFIER_MALFORMED`. */
export function parseVerifierKey(line: string): VerifierKey {
  const match = /^([^+\s]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/]+=*)$/.exec(line);
  const [, name, hashHex, encoded] = match ?? [];
  if (name === undefined || hashHex === undefined || encoded === undefined) throw malformed('is not NAME+HASH+BASE64');
  const bytes = Buffer.from(encoded, 'base64');
  if (bytes.length !== 33 || bytes[0] !== NOTE_ED25519 || bytes.toString('base64') !== encoded) throw malformed('is not an Ed25519 key');
  const publicKey = bytes.subarray(1);
  if (noteKeyHash(name, publicKey).toString('hex') !== hashHex) throw malformed('has a hash that is not of its name and key');
  return verifierKey(name, publicKey);
}

/** One verifier key a line; empty lines and lines that start with `#` are skipped. Throws `KEY_VERIFIER_MALFORMED`. */
export function parseVerifierKeys(text: string): readonly VerifierKey[] {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map(parseVerifierKey);
}

export function formatVerifierKeys(keys: readonly Pick<VerifierKey, 'name' | 'publicKey'>[]): string {
  return keys.map((key) => `${formatVerifierKey(key)}\n`).join('');
}

/** A new key in memory. */
export function generateSigningKey(name: string): SigningKey {
  return signingKey(name, generateKeyPairSync('ed25519').privateKey);
}

/** A key from PKCS#8 PEM. Throws `KEY_FILE_MALFORMED` for anything but Ed25519. */
export function signingKeyFromPem(name: string, pem: string): SigningKey {
  let key: KeyObject;
  try {
    key = createPrivateKey({ key: pem, format: 'pem' });
  } catch (cause) {
    throw new EventError('KEY_FILE_MALFORMED', `the key ${name} is not a PKCS#8 PEM file`, { cause });
  }
  if (key.asymmetricKeyType !== 'ed25519') throw new EventError('KEY_FILE_MALFORMED', `the key ${name} is not an Ed25519 key`);
  return signingKey(name, key);
}

/**
 * The key of a service, made on first use. `DIRECTORY/FILE.pem` holds the private half (PKCS#8 PEM, mode 0600), `FILE.pub` its
 * verifier key, for copies that leave the private one out. `FILE` is the name with `/` as `-`. Two processes that start at
 * once get the same key. Throws `KEY_FILE_MODE` when others may read the file, `KEY_FILE_MALFORMED`, `KEY_NAME`.
 */
export async function loadOrCreateKey(directory: string, name: string): Promise<SigningKey> {
  checkName(name);
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const base = join(directory, name.replaceAll('/', '-'));
  const path = `${base}.pem`;
  const existing = await readKey(path, name);
  if (existing) return existing;
  const pem = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' });
  await writeOnce(path, pem.toString(), 0o600);
  const key = await readKey(path, name);
  if (!key) throw new EventError('KEY_FILE_MALFORMED', `the key ${name} was removed while it was made`);
  await writeOnce(`${base}.pub`, `${formatVerifierKey(key)}\n`, 0o644);
  return key;
}

async function readKey(path: string, name: string): Promise<SigningKey | undefined> {
  let pem: string;
  try {
    const { mode } = await stat(path);
    if ((mode & 0o077) !== 0) throw new EventError('KEY_FILE_MODE', `the key file ${path} may be read by others: set its mode to 0600`);
    pem = await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  return signingKeyFromPem(name, pem);
}

/** Whole or not at all, synced, and never over a file that is there: a link fails where a rename would replace. */
async function writeOnce(path: string, text: string, mode: number): Promise<void> {
  const temporary = `${path}.${process.pid}.${process.hrtime.bigint()}`;
  const file = await open(temporary, 'wx', mode);
  try {
    await file.writeFile(text);
    await file.sync();
    await chmod(temporary, mode);
    await link(temporary, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    await file.close();
    await unlink(temporary);
  }
}

function signingKey(name: string, privateKey: KeyObject): SigningKey {
  const spki = createPublicKey(privateKey).export({ type: 'spki', format: 'der' });
  const verifier = verifierKey(name, spki.subarray(spki.length - 32));
  const seed = () => Buffer.from(privateKey.export({ format: 'jwk' }).d ?? '', 'base64url');
  return {
    ...verifier,
    sign: (bytes) => sign(null, bytes, privateKey),
    derive: (info) => Buffer.from(hkdfSync('sha256', seed(), '', info, 32)),
  };
}

export function verifierKey(name: string, publicKey: Buffer): VerifierKey {
  checkName(name);
  const key = createPublicKey({ key: Buffer.concat([SPKI_PREFIX, publicKey]), format: 'der', type: 'spki' });
  return {
    name,
    id: keyId(publicKey),
    publicKey,
    verify: (bytes, signature) => signature.length === 64 && verify(null, bytes, key, signature),
  };
}

function checkName(name: string): void {
  if (!KEY_NAME.test(name)) throw new EventError('KEY_NAME', 'a key name is 1 to 128 of the characters 0-9 A-Z a-z . _ / -');
}

function malformed(what: string): EventError {
  return new EventError('KEY_VERIFIER_MALFORMED', `a verifier key ${what}`);
}
