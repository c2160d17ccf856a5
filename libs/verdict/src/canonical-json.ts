import { VerdictError } from './errors.js';

/** Deeper values are refused: nothing that policy reads nests like that. */
export const MAX_JSON_DEPTH = 64;

/**
 * One spelling for one value: keys in code unit order, no white space, members that are undefined left out. Only plain data: an
 * object with a prototype of its own could read differently the next time.
 * @throws VerdictError POLICY_INPUT_INVALID
 */
export function canonicalJson(value: unknown, depth = 0): string {
  if (depth > MAX_JSON_DEPTH) throw new VerdictError('POLICY_INPUT_INVALID', `deeper than ${MAX_JSON_DEPTH} levels`);
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return JSON.stringify(value);
  if (typeof value === 'number' && Number.isFinite(value)) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map((item) => canonicalJson(item, depth + 1)).join(',')}]`;
  if (typeof value === 'object' && isPlain(value)) {
    const members = Object.entries(value).filter(([, member]) => member !== undefined);
    members.sort(([one], [other]) => (one < other ? -1 : 1));
    return `{${members.map(([key, member]) => `${JSON.stringify(key)}:${canonicalJson(member, depth + 1)}`).join(',')}}`;
  }
  throw new VerdictError('POLICY_INPUT_INVALID', `a ${typeof value} is not plain data`);
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  // Objects of another realm (a worker's, a test runner's) have an Object.prototype of their own; its prototype is null.
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}
