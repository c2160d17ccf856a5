import { createHash } from 'node:crypto';

import { tokens } from './lexer.js';

/**
 * Names a kind of statement: equal when statements differ in literals, parameters, comments, the case of unquoted words, or how long
 * their lists of literals are. 16 hex digits. Facts may still differ within it (`WHERE id = 1`, `WHERE 1 = 1`), so it is no key for verdicts.
 *
 * Not the parser's own fingerprint: that one covers the literals of utility statements, so that a guessed password could be checked
 * against the record, and its recursion overflows the stack at some sixty levels. Takes the normalised text, where no literal is left.
 */
export function fingerprintOf(normalized: string): string {
  const words = tokens(normalized).map(({ kind, start, end }) => {
    const word = normalized.slice(start, end);
    return kind === 'parameter' ? '?' : kind === 'word' ? word.toLowerCase() : word;
  });
  return createHash('sha256').update(withoutLengths(words).join(' ')).digest('hex').slice(0, 16);
}

/** `?, ?, ?` is `?`, and `(?), (?)` is `(?)`. */
function withoutLengths(words: readonly string[]): string[] {
  const out: string[] = [];
  const ends = (...tail: string[]): boolean => tail.every((word, i) => out[out.length - tail.length + i] === word);
  for (const word of words) {
    out.push(word);
    if (ends('?', ',', '?')) out.length -= 2;
    if (ends('(', '?', ')', ',', '(', '?', ')')) out.length -= 4;
  }
  return out;
}
