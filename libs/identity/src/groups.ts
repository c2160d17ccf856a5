/**
 * The groups of a principal: a list of strings, or none. A claim of any other shape gives no group: a string that happens to hold a
 * comma or a list with a number in it is a mistake at the issuer, and guessing would hand out rights.
 *
 * `path` is first tried as the whole name of a claim (Auth0 and others use URLs with dots), then as a dotted path.
 */
export function readGroups(claims: Readonly<Record<string, unknown>>, path: string): readonly string[] {
  const value = at(claims, path);
  if (!Array.isArray(value) || !value.every((group) => typeof group === 'string')) return [];
  return [...new Set(value)];
}

/** Own members only: `constructor` and its like are not claims. */
export function at(claims: Readonly<Record<string, unknown>>, path: string): unknown {
  if (Object.hasOwn(claims, path)) return claims[path];
  let value: unknown = claims;
  for (const name of path.split('.')) {
    if (typeof value !== 'object' || value === null || Array.isArray(value) || !Object.hasOwn(value, name)) return undefined;
    value = (value as Record<string, unknown>)[name];
  }
  return value;
}
