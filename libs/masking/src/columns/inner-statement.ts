import { type ParsedSql, parseSql } from '@sallyport/operation';

import { shapeOf } from './raw-tree.js';

const FIRST_WORDS = new Set(['select', 'with', 'values', 'table', 'insert', 'update', 'delete', 'merge']);
const MAX_STARTS = 8;
const MAX_ENDS = 6;

/**
 * The text of the statement inside EXPLAIN, PREPARE, DECLARE, COPY (…), CREATE TABLE AS, CREATE VIEW. The tree doesn't say where it
 * ends, so this cuts where it could and takes the piece that parses to the same tree: nothing rests on the guess.
 */
export function innerStatement(text: string, inner: unknown): ParsedSql | undefined {
  const wanted = shapeOf(inner);
  const tokens = parseSql(text).tokens.filter((token) => token.kind !== 'comment');
  const word = (i: number): string => text.slice(tokens[i]?.start, tokens[i]?.end).toLowerCase();
  const starts: number[] = [];
  const ends: number[] = [text.length];
  tokens.forEach((token, i) => {
    if (i > 0 && starts.length < MAX_STARTS && (FIRST_WORDS.has(word(i)) || word(i) === '(')) starts.push(token.start);
  });
  for (let i = tokens.length - 1; i > 0 && ends.length < MAX_ENDS; i--) {
    if (word(i) === ')' || word(i) === 'with') ends.push(tokens[i]?.start ?? 0);
  }
  for (const start of starts) {
    for (const end of ends) {
      const parsed = end > start ? parseQuietly(text.slice(start, end)) : undefined;
      if (parsed?.statements.length === 1 && shapeOf(parsed.statements[0]?.node) === wanted) return parsed;
    }
  }
  return undefined;
}

/** The parenthesised types of `PREPARE name (types) AS inner`, as written. Undefined when they can't be told apart. */
export function declaredTypes(text: string, prepare: unknown, inner: string): string | undefined {
  const tokens = parseSql(text).tokens.filter((token) => token.kind !== 'comment');
  const open = tokens.find((token) => text.slice(token.start, token.end) === '(');
  if (!open) return undefined;
  for (const token of tokens) {
    if (token.end <= open.end || text.slice(token.start, token.end) !== ')') continue;
    const types = text.slice(open.start, token.end);
    const name = tokens[1] ? text.slice(tokens[1].start, tokens[1].end) : '';
    const again = parseQuietly(`PREPARE ${name} ${types} AS ${inner}`);
    if (again?.statements.length === 1 && shapeOf(again.statements[0]?.node) === shapeOf(prepare)) return types;
  }
  return undefined;
}

function parseQuietly(text: string): ParsedSql | undefined {
  try {
    return parseSql(text);
  } catch {
    return undefined;
  }
}
