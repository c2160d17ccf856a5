import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { parseVerifierKeys, type SigningKey, type VerifierKey } from '@sallyport/events';
import { type Role, serviceOf } from './roles.js';
import { TrustError } from './trust-error.js';

/** The keys of all services that belong to this installation. */
export interface Roster {
  /** Another one whenever the keys have changed: what a stranger said before may count now. */
  readonly version: number;
  /** By key id, as signatures name it. */
  find(id: string): VerifierKey | undefined;
  /** By the key's name, `edge/e1`. */
  named(name: string): readonly VerifierKey[];
  ofRole(role: Role): readonly VerifierKey[];
}

/** One process: whoever is in it belongs to it. */
export function fixedRoster(keys: readonly VerifierKey[]): Roster {
  const byId = new Map(keys.map((key) => [key.id, key]));
  return {
    version: 0,
    find: (id) => byId.get(id),
    named: (name) => keys.filter((key) => key.name === name),
    ofRole: (role) => keys.filter((key) => serviceOf(key.name)?.role === role),
  };
}

/** How old what is known of the files may be, in milliseconds: that long a key that was taken out is still believed. */
export const ROSTER_MAX_AGE_MS = 1000;
/** How soon the files are looked at again because of a key that isn't known: whoever signs with such keys must not keep the disk busy. */
export const ROSTER_STRANGER_MS = 100;
/** Of all files together. */
export const ROSTER_MAX_BYTES = 1024 * 1024;

export interface FileRosterOptions {
  /** Told when the files can't be read any more; the keys of the last time stay. */
  readonly onError?: (error: TrustError) => void;
  readonly nowMs?: () => number;
}

/**
 * A file of verifier keys, one a line (C2SP signed-note: `NAME+HASH+BASE64`), or a directory with such files named `*.pub`; the same
 * on every machine. Read again when it has changed, at once for a key that isn't known, so that a service is enrolled and withdrawn
 * without a restart. Throws `TRUST_ROSTER` when it can't be read at first.
 */
export function fileRoster(path: string, { onError = () => undefined, nowMs = Date.now }: FileRosterOptions = {}): Roster {
  let stamp = '';
  let checkedAtMs = 0;
  let strangerAtMs = Number.NEGATIVE_INFINITY;
  let version = 0;
  let roster = fixedRoster([]);
  const load = (): void => {
    const files = filesAt(path);
    const seen = files.map(({ file, mtimeMs, size, ino }) => `${file} ${mtimeMs} ${size} ${ino}`).join('\n');
    if (seen === stamp) return;
    const bytes = files.reduce((sum, { size }) => sum + size, 0);
    if (bytes > ROSTER_MAX_BYTES) throw new TrustError('TRUST_ROSTER', `${path} is larger than ${ROSTER_MAX_BYTES} bytes`);
    roster = fixedRoster(files.flatMap(({ file }) => parseVerifierKeys(readFileSync(file, 'utf8'))));
    stamp = seen;
    version += 1;
  };
  const reload = (): Roster => {
    checkedAtMs = nowMs();
    try {
      load();
    } catch (cause) {
      onError(unreadable(path, cause));
    }
    return roster;
  };
  const current = (): Roster => {
    const ageMs = nowMs() - checkedAtMs;
    return ageMs >= 0 && ageMs < ROSTER_MAX_AGE_MS ? roster : reload();
  };
  const forStranger = (id: string): VerifierKey | undefined => {
    const ageMs = nowMs() - strangerAtMs;
    if (ageMs >= 0 && ageMs < ROSTER_STRANGER_MS) return undefined;
    strangerAtMs = nowMs();
    return reload().find(id);
  };
  try {
    load();
  } catch (cause) {
    throw unreadable(path, cause);
  }
  checkedAtMs = nowMs();
  return {
    get version() {
      current();
      return version;
    },
    find: (id) => current().find(id) ?? forStranger(id),
    named: (name) => current().named(name),
    ofRole: (role) => current().ofRole(role),
  };
}

function filesAt(path: string): { readonly file: string; readonly mtimeMs: number; readonly size: number; readonly ino: number }[] {
  const names = statSync(path).isDirectory()
    ? readdirSync(path)
        .filter((name) => name.endsWith('.pub'))
        .sort()
        .map((name) => join(path, name))
    : [path];
  return names.map((file) => {
    const { mtimeMs, size, ino } = statSync(file);
    return { file, mtimeMs, size, ino };
  });
}

/** Throws `TRUST_NOT_ENROLLED`: a service whose word nobody takes had better not start. */
export function checkEnrolled(roster: Roster, key: SigningKey, line: string, where: string): void {
  if (roster.find(key.id)?.name === key.name) return;
  throw new TrustError('TRUST_NOT_ENROLLED', `the key of ${key.name} is not enrolled: add this line to ${where}\n${line}`);
}

function unreadable(path: string, cause: unknown): TrustError {
  if (cause instanceof TrustError) return cause;
  return new TrustError(
    'TRUST_ROSTER',
    `the enrolled keys can't be read from ${path}: ${cause instanceof Error ? cause.message : 'unknown'}`,
    {
      cause,
    },
  );
}
