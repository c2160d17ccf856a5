import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { resolveSecret, type SecretRef } from './secrets.js';

let baseDir: string;
beforeAll(() => {
  baseDir = mkdtempSync(join(tmpdir(), 'sallyport-secrets-'));
  writeFileSync(join(baseDir, 'password'), 'hunter2\n');
  writeFileSync(join(baseDir, 'empty'), '\n');
  writeFileSync(join(baseDir, 'huge'), 'x'.repeat(65 * 1024));
});
afterAll(() => rmSync(baseDir, { recursive: true, force: true }));

const env = { PW: 'hunter2', EMPTY: '' };
const resolved = (ref: SecretRef) => resolveSecret(ref, { env, baseDir });

describe('resolveSecret', () => {
  it('finds it where the reference says', () => {
    expect(resolved({ kind: 'env', name: 'PW' })).toBe('hunter2');
    expect(resolved({ kind: 'env', name: 'PW', prefix: 'Bearer ' })).toBe('Bearer hunter2');
    expect(resolved({ kind: 'file', path: 'password' })).toBe('hunter2');
    expect(resolved({ kind: 'text', text: 'postgres://u:${PW}@h/db' })).toBe('postgres://u:hunter2@h/db');
  });

  const missing: [SecretRef, string][] = [
    [{ kind: 'env', name: 'NONE' }, 'NONE'],
    [{ kind: 'env', name: 'EMPTY' }, 'EMPTY'],
    [{ kind: 'text', text: 'hunter2:${NONE}' }, 'NONE'],
    [{ kind: 'file', path: 'none' }, 'none'],
    [{ kind: 'file', path: 'empty' }, 'empty'],
    [{ kind: 'file', path: 'huge' }, 'huge'],
    [{ kind: 'file', path: '.' }, ''],
    [{ kind: 'vault', path: 'secret/shop' }, 'vault'],
  ];
  it.each(missing)('P3: names the reference, never the value: %j', (ref, named) => {
    let caught: unknown;
    try {
      resolved(ref);
    } catch (error) {
      caught = error;
    }
    expect(caught).toMatchObject({ code: 'SECRET_UNRESOLVED', message: expect.stringContaining(named) });
    expect((caught as Error).message).not.toContain('hunter2');
  });
});
