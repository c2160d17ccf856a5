import { spawn } from 'node:child_process';
import path from 'node:path';

import { EmbeddedPostgresError } from './errors.js';
import type { OsUser } from './os-user.js';

/** What is kept of a program's output for its error message. */
export const LAST_WORDS_MAX_CHARS = 4096;

/** Only what the programs need: nothing of ours, which may hold secrets, and a fixed language. */
export function environment(): NodeJS.ProcessEnv {
  return { PATH: process.env['PATH'] ?? '/usr/bin:/bin', LC_ALL: 'C', ...(process.env['TZ'] ? { TZ: process.env['TZ'] } : {}) };
}

export interface RunOptions {
  readonly file: string;
  readonly args: readonly string[];
  readonly user: OsUser;
  readonly stdin?: string;
  readonly timeoutMs: number;
}

/** Runs a program to its end. Rejects with its last words when it fails or takes longer than `timeoutMs`. */
export async function run({ file, args, user, stdin, timeoutMs }: RunOptions): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const child = spawn(file, args, {
      cwd: '/',
      env: environment(),
      stdio: ['pipe', 'pipe', 'pipe'],
      timeout: timeoutMs,
      killSignal: 'SIGKILL',
      ...user,
    });
    let words = '';
    const keep = (chunk: string) => {
      words = (words + chunk).slice(-LAST_WORDS_MAX_CHARS);
    };
    child.stdout.setEncoding('utf8').on('data', keep);
    child.stderr.setEncoding('utf8').on('data', keep);
    // A program that ends before it has read everything says why on its exit.
    child.stdin.on('error', () => undefined);
    child.stdin.end(stdin ?? '');
    const name = path.basename(file);
    child.on('error', (cause) => reject(new EmbeddedPostgresError('EMBEDDED_POSTGRES_START', `${name} can't be run`, { cause })));
    child.on('close', (code, signal) => {
      if (code === 0) resolve();
      else reject(new EmbeddedPostgresError('EMBEDDED_POSTGRES_START', `${name} ended with ${signal ?? code}: ${words.trim()}`));
    });
  });
}
