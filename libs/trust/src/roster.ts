import { readFileSync, statSync } from 'node:fs';
import { parseVerifierKeys, type SigningKey, type VerifierKey } from '@sallyport/events';
import { type Role, serviceOf } from './roles.js';
import { TrustError } from './trust-error.js';

/** The keys of all services that belong to this installation. */
export interface Roster {
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
    find: (id) => byId.get(id),
    named: (name) => keys.filter((key) => key.name === name),
    ofRole: (role) => keys.filter((key) => serviceOf(key.name)?.role === role),
  };
}

/** How old what is known of the file may be, in milliseconds: that long a key that was taken out is still believed. */
export const ROSTER_MAX_AGE_MS = 1000;
export const ROSTER_MAX_BYTES = 1024 * 1024;

export interface FileRosterOptions {
  /** Told when the file can't be read any more; the keys of the last time stay. */
  readonly onError?: (error: TrustError) => void;
  readonly nowMs?: () => number;
}

/**
 * A file of verifier keys, one a line (C2SP signed-note: `NAME+HASH+BASE64`), the same on every machine. It is read again when it has
 * changed, so that a service is enrolled and withdrawn without a restart. Throws `TRUST_ROSTER` when it can't be read at first.
 */
export function fileRoster(path: string, { onError = () => undefined, nowMs = Date.now }: FileRosterOptions = {}): Roster {
  let stamp = '';
  let checkedAtMs = 0;
  let roster = fixedRoster([]);
  const load = (): void => {
    const { mtimeMs, size, ino } = statSync(path);
    const seen = `${mtimeMs} ${size} ${ino}`;
    if (seen === stamp) return;
    if (size > ROSTER_MAX_BYTES) throw new TrustError('TRUST_ROSTER', `${path} is larger than ${ROSTER_MAX_BYTES} bytes`);
    roster = fixedRoster(parseVerifierKeys(readFileSync(path, 'utf8')));
    stamp = seen;
  };
  const current = (): Roster => {
    const now = nowMs();
    if (now - checkedAtMs < ROSTER_MAX_AGE_MS && now >= checkedAtMs) return roster;
    checkedAtMs = now;
    try {
      load();
    } catch (cause) {
      onError(unreadable(path, cause));
    }
    return roster;
  };
  try {
    load();
  } catch (cause) {
    throw unreadable(path, cause);
  }
  checkedAtMs = nowMs();
  return {
    find: (id) => current().find(id),
    named: (name) => current().named(name),
    ofRole: (role) => current().ofRole(role),
  };
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
