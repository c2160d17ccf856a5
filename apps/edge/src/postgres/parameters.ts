import { isUtf8 } from 'node:buffer';
import type { Bind } from '@sallyport/wire-postgres';

/**
 * Bind's parameters for policy, hash and record: text as it is; binary, and text in another encoding, as `\x` and hex digits, as
 * bytea is written. Two different values never look the same by having been replaced.
 */
export function parametersOf({ parameters, parameterFormats }: Pick<Bind, 'parameters' | 'parameterFormats'>): readonly (string | null)[] {
  return parameters.map((value, i) => {
    if (value === null) return null;
    const binary = (parameterFormats.length === 1 ? parameterFormats[0] : parameterFormats[i]) === 1;
    return binary || !isUtf8(value) ? `\\x${value.toString('hex')}` : value.toString('utf8');
  });
}
