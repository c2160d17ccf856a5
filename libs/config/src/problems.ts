import type { z } from 'zod';
import { nearest } from './did-you-mean.js';
import type { Path } from './paths.js';

/** One mistake, before it has a line. `isKey`: the key itself is wrong, not its value. */
export interface Mistake {
  readonly path: Path;
  readonly message: string;
  readonly isKey?: boolean;
}

type Issue = z.core.$ZodIssue;

/**
 * For the schema's `error` option: plain words for what has none of its own. What an unknown key could have been is only known here,
 * so it travels in the message, and {@link mistakes} takes it out.
 */
export function describeIssue(issue: z.core.$ZodRawIssue): string | undefined {
  switch (issue.code) {
    case 'invalid_type':
      return issue.input === undefined
        ? `missing: expected ${kindOf(issue.expected)}`
        : `expected ${kindOf(issue.expected)}, got ${shapeOf(issue.input)}`;
    case 'invalid_value':
      return `expected ${issue.values.map(String).join(' or ')}`;
    case 'unrecognized_keys':
      return JSON.stringify(Object.keys((issue.inst as z.ZodObject | undefined)?.def?.shape ?? {}));
    default:
      return undefined;
  }
}

export function mistakes(issues: readonly Issue[], root: unknown, at: Path = []): Mistake[] {
  return issues.flatMap((issue): Mistake[] => {
    const path: Path = [...at, ...(issue.path as (string | number)[])];
    if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => unknownKey(path, key, JSON.parse(issue.message) as string[]));
    if (issue.code === 'invalid_union') {
      const meant = issue.errors.find((option) => !option.some(isAnotherShape));
      if (meant) return mistakes(meant, root, path);
    }
    const isMissing = valueAt(root, path) === undefined;
    const message = isMissing && !issue.message.startsWith('missing') ? `missing: ${issue.message}` : issue.message;
    return [{ path, message }];
  });
}

/** The option of a union that was not meant: the value isn't even of its kind. */
function isAnotherShape(issue: Issue): boolean {
  return issue.path.length === 0 && (issue.code === 'invalid_type' || issue.code === 'invalid_value' || issue.code === 'invalid_format');
}

function unknownKey(path: Path, key: string, known: readonly string[]): Mistake {
  const meant = nearest(key, known);
  const hint =
    meant === undefined ? (known.length > 0 && known.length <= 12 ? `; known here: ${known.join(', ')}` : '') : `: did you mean ${meant}?`;
  return { path: [...path, key], message: `unknown key${hint}`, isKey: true };
}

export function valueAt(root: unknown, path: Path): unknown {
  return path.reduce<unknown>(
    (value, key) =>
      typeof value === 'object' && value !== null && Object.hasOwn(value, key)
        ? (value as Record<string | number, unknown>)[key]
        : undefined,
    root,
  );
}

function kindOf(expected: string): string {
  const kinds: Record<string, string> = {
    object: 'keys and values',
    record: 'keys and values',
    array: 'a list',
    string: 'a text',
    number: 'a number',
    int: 'a whole number',
  };
  return kinds[expected] ?? expected;
}

function shapeOf(value: unknown): string {
  if (value === null) return 'nothing: give it a value or take the key out';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'keys and values';
  return typeof value === 'string' ? 'a text' : `a ${typeof value}`;
}
