import { join } from 'node:path';
import { formatVerifierKeys, loadOrCreateKey, parseVerifierKeys, type SigningKey } from '@sallyport/events';
import { fixedRoster, type Roster } from '@sallyport/trust';

/** The services that `up` runs; each has a key of its own, `ROLE/NAME`. */
const ROLES = ['edge', 'decision', 'vendor', 'console', 'ledger'] as const;

export interface Enrolment {
  readonly keys: Readonly<Record<(typeof ROLES)[number], SigningKey>>;
  readonly roster: Roster;
  /** The roster for another thread: {@link rosterOf} reads it. */
  readonly lines: string;
}

/** The keys in the data directory, made on first use. One process: whoever is in it belongs to it. */
export async function enrolment(dataDir: string, name: string): Promise<Enrolment> {
  const loaded = await Promise.all(ROLES.map((role) => loadOrCreateKey(join(dataDir, 'keys'), `${role}/${name}`)));
  const keys = Object.fromEntries(loaded.map((key, at) => [ROLES[at], key])) as Enrolment['keys'];
  return { keys, roster: fixedRoster(loaded), lines: formatVerifierKeys(loaded) };
}

export function rosterOf(lines: string): Roster {
  return fixedRoster(parseVerifierKeys(lines));
}
