import { join } from 'node:path';
import { formatVerifierKeys, loadOrCreateKey, type SigningKey } from '@sallyport/events';
import { fixedRoster, type Role, type Roster } from '@sallyport/trust';

const ROLES = ['edge', 'decision', 'vendor', 'console'] as const satisfies readonly Role[];

export interface ServiceKeys {
  readonly keys: Readonly<Record<(typeof ROLES)[number], SigningKey>>;
  readonly roster: Roster;
  /** The roster as text, for a thread of its own. */
  readonly enrolled: string;
}

/** The keys that services sign requests and replies with, made on first use: in one process they all belong to it. */
export async function serviceKeys(dataDir: string, name: string): Promise<ServiceKeys> {
  const made = await Promise.all(
    ROLES.map(async (role) => [role, await loadOrCreateKey(join(dataDir, 'keys'), `${role}/${name}`)] as const),
  );
  const keys = Object.fromEntries(made) as Record<(typeof ROLES)[number], SigningKey>;
  const all = Object.values(keys);
  return { keys, roster: fixedRoster(all), enrolled: formatVerifierKeys(all) };
}

/** Who may ask the vendor and the decision service for what. */
export const CALLERS = {
  lease: { 'lease.obtain': ['edge'], 'lease.drop': ['edge'] },
  decide: { decide: ['edge', 'vendor'], 'approval.answer': ['console'] },
} as const satisfies Readonly<Record<string, Readonly<Record<string, readonly Role[]>>>>;
