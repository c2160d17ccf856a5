import { mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Io } from '../io.js';

/** What `sallyport login` keeps. */
export interface StoredLogin {
  readonly issuer: string;
  readonly clientId: string;
  readonly subject: string;
  readonly accessToken: string;
  readonly expiresAtMs: number;
  readonly refreshToken?: string;
}

/** `$XDG_STATE_HOME/sallyport/login.json` (XDG Base Directory), or below ~/.local/state. */
export function loginPath(env: Io['env']): string {
  const state = env['XDG_STATE_HOME'];
  // The specification: a relative one is to be ignored.
  const base = state?.startsWith('/') ? state : join(env['HOME'] ?? homedir(), '.local/state');
  return join(base, 'sallyport', 'login.json');
}

/** Undefined when there is none, or none that can be trusted: a file that others could have written is not read. */
export function readLogin(env: Io['env']): StoredLogin | undefined {
  const path = loginPath(env);
  try {
    if ((statSync(path).mode & 0o077) !== 0) return undefined;
    const login = JSON.parse(readFileSync(path, 'utf8')) as Partial<StoredLogin> | null;
    const isWhole =
      typeof login?.accessToken === 'string' &&
      typeof login.issuer === 'string' &&
      typeof login.clientId === 'string' &&
      typeof login.expiresAtMs === 'number' &&
      typeof login.subject === 'string';
    return isWhole ? (login as StoredLogin) : undefined;
  } catch {
    return undefined;
  }
}

/** Whole or not at all, for its owner only. */
export function writeLogin(login: StoredLogin, env: Io['env']): string {
  const path = loginPath(env);
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const temporary = `${path}.${process.pid}`;
  writeFileSync(temporary, `${JSON.stringify(login, undefined, 2)}\n`, { mode: 0o600 });
  renameSync(temporary, path);
  return path;
}

export function forgetLogin(env: Io['env']): void {
  rmSync(loginPath(env), { force: true });
}
