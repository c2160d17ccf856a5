import { generateKeyPairSync } from 'node:crypto';
import { chmod, mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  formatVerifierKey,
  formatVerifierKeys,
  generateSigningKey,
  keyId,
  loadOrCreateKey,
  parseVerifierKey,
  parseVerifierKeys,
  signingKeyFromPem,
} from './keys.js';

const bytes = Buffer.from('what is signed');
let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sallyport-keys-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

describe('loadOrCreateKey', () => {
  it('makes a key on first use, for its owner only, and finds it again', async () => {
    const made = await loadOrCreateKey(join(directory, 'keys'), 'edge/one');
    expect((await stat(join(directory, 'keys'))).mode & 0o777).toBe(0o700);
    expect((await stat(join(directory, 'keys', 'edge-one.pem'))).mode & 0o777).toBe(0o600);
    expect(await readFile(join(directory, 'keys', 'edge-one.pem'), 'utf8')).toMatch(/^-----BEGIN PRIVATE KEY-----\n/);
    expect(await readFile(join(directory, 'keys', 'edge-one.pub'), 'utf8')).toBe(`${formatVerifierKey(made)}\n`);
    const found = await loadOrCreateKey(join(directory, 'keys'), 'edge/one');
    expect(found.id).toBe(made.id);
    expect(made.verify(bytes, found.sign(bytes))).toBe(true);
    expect((await readdir(join(directory, 'keys'))).sort()).toEqual(['edge-one.pem', 'edge-one.pub']);
  });

  it('gives one key to all who start at once', async () => {
    const keys = await Promise.all(Array.from({ length: 8 }, () => loadOrCreateKey(directory, 'edge/one')));
    expect(new Set(keys.map((key) => key.id)).size).toBe(1);
    expect((await readdir(directory)).sort()).toEqual(['edge-one.pem', 'edge-one.pub']);
  });

  it('refuses a key file that others may read', async () => {
    await loadOrCreateKey(directory, 'edge/one');
    await chmod(join(directory, 'edge-one.pem'), 0o640);
    await expect(loadOrCreateKey(directory, 'edge/one')).rejects.toMatchObject({ code: 'KEY_FILE_MODE' });
  });

  it('refuses what is no Ed25519 key, without quoting it', async () => {
    await writeFile(join(directory, 'edge-one.pem'), 'not a key', { mode: 0o600 });
    await expect(loadOrCreateKey(directory, 'edge/one')).rejects.toMatchObject({ code: 'KEY_FILE_MALFORMED' });
    const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
    expect(() => signingKeyFromPem('edge/one', ec)).toThrow(expect.objectContaining({ code: 'KEY_FILE_MALFORMED' }));
  });

  it.each(['', '../x', 'a b', 'a+b', 'a\nb'])('refuses the name %j', async (name) => {
    await expect(loadOrCreateKey(directory, name)).rejects.toMatchObject({ code: 'KEY_NAME' });
  });
});

describe('verifier keys', () => {
  // From the documentation of golang.org/x/mod/sumdb/note, the reference implementation of signed notes.
  const peter = 'PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW';

  it('P6: reads and writes the encoding of C2SP signed-note', () => {
    const key = parseVerifierKey(peter);
    expect(key.name).toBe('PeterNeumann');
    expect(formatVerifierKey(key)).toBe(peter);
    const text = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n";
    const signature = Buffer.from('x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=', 'base64');
    expect(key.verify(Buffer.from(text), signature.subarray(4))).toBe(true);
  });

  it('P6: verifies only these bytes by this key', () => {
    const key = generateSigningKey('edge/one');
    const signature = key.sign(bytes);
    expect(key.id).toBe(keyId(key.publicKey));
    expect(key.id).toMatch(/^[0-9a-f]{16}$/);
    expect(parseVerifierKey(formatVerifierKey(key)).verify(bytes, signature)).toBe(true);
    expect(generateSigningKey('edge/one').verify(bytes, signature)).toBe(false);
    expect(key.verify(Buffer.from('other'), signature)).toBe(false);
    expect(key.verify(bytes, signature.subarray(1))).toBe(false);
    expect(key.verify(bytes, Buffer.alloc(0))).toBe(false);
  });

  it('reads a file of them', () => {
    const keys = [generateSigningKey('edge/one'), generateSigningKey('ledger/one')];
    const read = parseVerifierKeys(`# trusted\n\n${formatVerifierKeys(keys)}`);
    expect(read.map(({ name, id }) => ({ name, id }))).toEqual(keys.map(({ name, id }) => ({ name, id })));
  });

  it.each([
    ['another name', peter.replace('Peter', 'Petra')],
    ['another key', peter.replace('ARpc2', 'ARpd2')],
    ['another algorithm', peter.replace('+ARpc', '+AhpC')],
    ['a short key', peter.slice(0, -4)],
    ['nothing', ''],
  ])('refuses %s', (_, line) => {
    expect(() => parseVerifierKey(line)).toThrow(expect.objectContaining({ code: 'KEY_VERIFIER_MALFORMED' }));
  });
});
