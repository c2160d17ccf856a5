import { rename, writeFile } from 'node:fs/promises';
import { SettingsError } from './settings.js';

/** Exit codes of the interface. */
export const DONE = 0;
export const BROKE = 1;
export const WRONG_USE = 2;
export const UNREACHABLE = 3;

/** Whoever sees the file sees all of it. Mode 0600. */
export async function writeWhole(path: string, text: string): Promise<void> {
  const temporary = `${path}.${process.pid}`;
  await writeFile(temporary, text, { mode: 0o600 });
  await rename(temporary, path);
}

export const asJson = (content: unknown): string => `${JSON.stringify(content, null, 2)}\n`;

export function untilSignal(): Promise<'signal'> {
  return new Promise((resolve) => {
    for (const name of ['SIGTERM', 'SIGINT'] as const) process.once(name, () => resolve('signal'));
  });
}

/** What to do, where the code of an error alone tells. */
const ADVICE: Readonly<Record<string, string>> = {
  BUS_LOCKED: 'Another Sallyport uses this data directory: stop it, or choose another with --data.',
  JOURNAL_LOCKED: 'Another edge has this spool: give each edge a name of its own (edge.name), or a data directory (--data).',
  EADDRINUSE: 'Something else listens there: stop it, or change `listen` in the configuration.',
  POLICY_BUNDLE_UNREADABLE: 'Make the bundle: sallyport policy build. Without policy.path the policies that come with Sallyport judge.',
};

const WRONG = /^(SECRET_UNRESOLVED|LEASE_CONFIG|OIDC_|POLICY_|TRUST_|BUS_TOPICS|BUS_OPTION|INSTALLATION_)/;

/** Says what went wrong on standard error, and returns the exit code. */
export function failed(error: unknown): number {
  if (error instanceof SettingsError) {
    for (const line of error.lines) process.stderr.write(`${line}\n`);
    return WRONG_USE;
  }
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const message = error instanceof Error ? error.message : String(error);
  process.stderr.write(`sallyport: ${code === '' ? '' : `${code}: `}${message}\n`);
  const advice = ADVICE[code];
  if (advice !== undefined) process.stderr.write(`${advice}\n`);
  return WRONG.test(code) ? WRONG_USE : UNREACHABLE;
}
