import type { ConsoleLimits } from '../limits.js';
import { ProblemError } from './problem.js';

type Query = Readonly<Record<string, unknown>>;

const ID_MAX_CHARS = 256;
const CURSOR_MAX_CHARS = 1024;

/** One value of the query string; undefined when it is not given. */
export function text(query: Query, name: string, maxChars = ID_MAX_CHARS): string | undefined {
  const value = query[name];
  if (value === undefined || value === '') return undefined;
  if (typeof value !== 'string' || value.length > maxChars || value.includes('\0'))
    throw new ProblemError('BAD_REQUEST', `${name}: expected one text of at most ${maxChars} characters`);
  return value;
}

export function oneOf<Value extends string>(query: Query, name: string, values: readonly Value[]): Value | undefined {
  const value = text(query, name);
  if (value === undefined) return undefined;
  if (!(values as readonly string[]).includes(value))
    throw new ProblemError('BAD_REQUEST', `${name}: expected one of ${values.join(', ')}`);
  return value as Value;
}

/** RFC 3339, or a date. */
export function time(query: Query, name: string): string | undefined {
  const value = text(query, name);
  if (value === undefined) return undefined;
  const ms = /^\d{4}-\d\d-\d\d/.test(value) ? Date.parse(value) : Number.NaN;
  if (Number.isNaN(ms)) throw new ProblemError('BAD_REQUEST', `${name}: expected a time as 2026-01-31T12:00:00Z`);
  return new Date(ms).toISOString();
}

/** `limit` and `cursor`. More than the largest page is the largest page. */
export function page(
  query: Query,
  limits: Pick<ConsoleLimits, 'pageMaxRows' | 'pageDefaultRows'>,
): { readonly limit: number; readonly cursor?: string } {
  const given = text(query, 'limit');
  const limit = given === undefined ? limits.pageDefaultRows : Number(given);
  if (!Number.isInteger(limit) || limit < 1) throw new ProblemError('BAD_REQUEST', 'limit: expected a whole number from 1');
  const cursor = text(query, 'cursor', CURSOR_MAX_CHARS);
  return { limit: Math.min(limit, limits.pageMaxRows), ...(cursor === undefined ? {} : { cursor }) };
}

/** A part of the path. */
export function id(value: string | undefined, what: string): string {
  if (value === undefined || value === '' || value.length > ID_MAX_CHARS || value.includes('\0'))
    throw new ProblemError('BAD_REQUEST', `${what}: expected at most ${ID_MAX_CHARS} characters`);
  return value;
}

/** The body as an object with texts under these names and nothing else. */
export function body<Name extends string>(
  value: unknown,
  maxChars: Readonly<Record<Name, number>>,
): Readonly<Partial<Record<Name, string>>> {
  const given = value === undefined || value === null ? {} : value;
  if (typeof given !== 'object' || Array.isArray(given)) throw new ProblemError('BAD_REQUEST', 'expected a JSON object as body');
  for (const [name, field] of Object.entries(given)) {
    const most = Object.hasOwn(maxChars, name) ? maxChars[name as Name] : undefined;
    if (most === undefined)
      throw new ProblemError('BAD_REQUEST', `unknown member in the body; expected ${Object.keys(maxChars).join(', ')}`);
    if (typeof field !== 'string' || field.length > most)
      throw new ProblemError('BAD_REQUEST', `${name}: expected a text of at most ${most} characters`);
  }
  return given as Partial<Record<Name, string>>;
}
