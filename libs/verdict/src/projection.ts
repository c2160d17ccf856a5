import { canonicalJson } from './canonical-json.js';
import { digestOf } from './digest.js';
import { VerdictError } from './errors.js';
import { isFrozenDeep } from './frozen.js';

/** Longer scalars enter the key as a digest. */
const MAX_PLAIN_SCALAR_CHARACTERS = 128;

/** An input reduced to what the policy reads. */
export interface Projection {
  /** Unambiguous: two inputs with this key agree on every path. */
  keyOf(input: object): string;
  /** The part of the input that the policy may read, and nothing else. */
  project(input: object): unknown;
}

/**
 * Projects inputs onto JSON pointers (RFC 6901), as the bundle's manifest lists them; '' is the whole input. What is frozen all
 * the way down is walked once and remembered for as long as it lives; anything else is walked each time.
 * @throws VerdictError POLICY_PATH_INVALID
 */
export function projectionOnto(pointers: readonly string[]): Projection {
  const paths = pointers.map(parsePointer);
  const digests = new WeakMap<object, string>();

  function keyOfValue(value: unknown): string {
    if (value === undefined) return '-';
    if (typeof value !== 'object' || value === null) {
      const json = canonicalJson(value);
      return json.length <= MAX_PLAIN_SCALAR_CHARACTERS ? json : `#${digestOf('sallyport.scalar.v1', [json])}`;
    }
    const known = digests.get(value);
    if (known !== undefined) return known;
    const key = `#${digestOf('sallyport.value.v1', [canonicalJson(value)])}`;
    if (isFrozenDeep(value)) digests.set(value, key);
    return key;
  }

  return {
    keyOf(input) {
      let key = '';
      // JSON of a scalar has no line feed, so lines don't run into each other.
      for (const path of paths) key += `${keyOfValue(at(input, path))}\n`;
      return key;
    },
    project(input) {
      let projected: unknown = {};
      for (const path of paths) {
        const value = at(input, path);
        if (value === undefined) continue;
        if (path.length === 0) projected = value;
        else place(projected as Record<string, unknown>, path, value);
      }
      return projected;
    },
  };
}

function parsePointer(pointer: string): readonly string[] {
  if (pointer === '') return [];
  const keys = pointer.split('/').map((key) => key.replaceAll('~1', '/').replaceAll('~0', '~'));
  if (keys.shift() !== '' || keys.includes('__proto__'))
    throw new VerdictError('POLICY_PATH_INVALID', 'an input path of the policy is not a JSON pointer');
  return keys;
}

function at(input: object, path: readonly string[]): unknown {
  let value: unknown = input;
  for (const key of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
    value = (value as Record<string, unknown>)[key];
  }
  return value;
}

function place(root: Record<string, unknown>, path: readonly string[], value: unknown): void {
  let target = root;
  path.slice(0, -1).forEach((key) => {
    target = (target[key] ??= {}) as Record<string, unknown>;
  });
  target[path.at(-1)!] = value;
}
