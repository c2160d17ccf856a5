import { generateSigningKey, type SigningKey } from '@sallyport/events';
import { fixedRoster, type Roster } from './roster.js';

/** Keys of services by name (`edge/e1`), made in memory, and the roster that has them all. */
export function enrolled<const Name extends string>(
  ...names: readonly Name[]
): { readonly roster: Roster; readonly keys: Record<Name, SigningKey> } {
  const keys = Object.fromEntries(names.map((name) => [name, generateSigningKey(name)])) as Record<Name, SigningKey>;
  return { roster: fixedRoster(Object.values<SigningKey>(keys)), keys };
}
