import * as fc from 'fast-check';
import { base64url, CompactEncrypt, importJWK } from 'jose';

import { seal, SEALED_MAX_CHARS, sessionKeyPair } from './seal.js';

const SECRET = { user: 'sallyport_x', password: 'p4ss-\u00e4-"quoted"' };
const BINDING = { session: 'session-1', lease: 'lease-1' };
const REFUSED = { code: 'LEASE_SEAL_REFUSED', message: 'the sealed lease does not open for this session' };

describe('a sealed secret', () => {
  it('P3: opens for the session that asked, and shows nothing on the way', async () => {
    const pair = await sessionKeyPair();
    const sealed = await seal(SECRET, pair.publicKey, BINDING);
    expect(await pair.open(sealed, BINDING)).toEqual(SECRET);
    expect(sealed.split('.')).toHaveLength(5);
    for (const part of sealed.split('.')) expect(Buffer.from(part, 'base64url').toString()).not.toContain('p4ss');
    expect(Object.keys(pair.publicKey).sort()).toEqual(['crv', 'kty', 'x', 'y']);
  });

  it('is never the same twice', async () => {
    const pair = await sessionKeyPair();
    expect(await seal(SECRET, pair.publicKey, BINDING)).not.toBe(await seal(SECRET, pair.publicKey, BINDING));
  });

  it('P3: does not open with another key', async () => {
    const [mine, other] = await Promise.all([sessionKeyPair(), sessionKeyPair()]);
    const sealed = await seal(SECRET, mine.publicKey, BINDING);
    await expect(other.open(sealed, BINDING)).rejects.toMatchObject(REFUSED);
  });

  it.each([
    ['session', { session: 'session-2', lease: 'lease-1' }],
    ['lease', { session: 'session-1', lease: 'lease-2' }],
  ])('P3: does not open for another %s, even with the key', async (_what, binding) => {
    const pair = await sessionKeyPair();
    await expect(pair.open(await seal(SECRET, pair.publicKey, binding), BINDING)).rejects.toMatchObject(REFUSED);
  });

  it('P3: does not open when any character of it is altered', async () => {
    const pair = await sessionKeyPair();
    const sealed = await seal(SECRET, pair.publicKey, BINDING);
    const parts = sealed.split('.');
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(0, 2, 3, 4), fc.nat(), fc.integer({ min: 1, max: 255 }), async (which, at, flip) => {
        const bytes = Buffer.from(parts[which] ?? '', 'base64url');
        const index = at % bytes.length;
        bytes[index] = (bytes[index] ?? 0) ^ flip;
        const altered = parts.map((part, i) => (i === which ? bytes.toString('base64url') : part)).join('.');
        await expect(pair.open(altered, BINDING)).rejects.toMatchObject(REFUSED);
      }),
      { numRuns: 60 },
    );
  });

  it('P3: refuses other algorithms, and text that is not a secret, without quoting it', async () => {
    const pair = await sessionKeyPair();
    const key = await importJWK(pair.publicKey, 'ECDH-ES');
    const header = { typ: 'sallyport-lease+jwe', session: 'session-1', lease: 'lease-1' };
    const parameters = { apu: base64url.decode(base64url.encode('lease-1')), apv: base64url.decode(base64url.encode('session-1')) };
    const make = (alg: string, enc: string, text: string) =>
      new CompactEncrypt(new TextEncoder().encode(text))
        .setProtectedHeader({ ...header, alg, enc })
        .setKeyManagementParameters(parameters)
        .encrypt(key);
    expect(await pair.open(await make('ECDH-ES', 'A256GCM', JSON.stringify(SECRET)), BINDING)).toEqual(SECRET);
    for (const sealed of [
      await make('ECDH-ES+A256KW', 'A256GCM', JSON.stringify(SECRET)),
      await make('ECDH-ES', 'A128CBC-HS256', JSON.stringify(SECRET)),
      await make('ECDH-ES', 'A256GCM', 'hunter2 is not JSON'),
      await make('ECDH-ES', 'A256GCM', '{"user":"u"}'),
      'x'.repeat(SEALED_MAX_CHARS + 1),
      '',
    ]) {
      const error: unknown = await pair.open(sealed, BINDING).catch((e: unknown) => e);
      expect(error).toMatchObject(REFUSED);
      expect((error as Error).cause).toBeUndefined();
    }
  });

  it('is not made for a key of another kind, or one that came with its private part', async () => {
    const { publicKey } = await sessionKeyPair();
    for (const bad of [
      { ...publicKey, d: 'AAAA' },
      { ...publicKey, crv: 'P-384' },
      { ...publicKey, x: publicKey.y ?? '' },
      { kty: 'oct', k: 'AAAA' },
      { kty: 'EC', crv: 'P-256' },
    ]) {
      await expect(seal(SECRET, bad, BINDING)).rejects.toMatchObject({ code: 'LEASE_KEY_INVALID' });
    }
  });
});
