import type { Fields } from './tree.js';
import { fieldsOf, listOf } from './tree.js';
import { EngineFailure, parseTree, SyntaxProblem } from './engine.js';
import { tokens, type Token } from './lexer.js';
import { nestingOf } from './nesting.js';

export interface ParseLimits {
  /** Longest SQL text that is parsed, in bytes of UTF-8: parsing blocks the process, some 0.3 s for a megabyte. */
  readonly maxParsedBytes: number;
  /** Deepest nesting that is parsed, in levels as `nestingOf` counts them. */
  readonly maxParsedDepth?: number;
  /** Block comments in one text, nested ones counted too: the parser's time grows with the square of their number. */
  readonly maxParsedComments?: number;
}

export const PARSE_LIMITS = { maxParsedBytes: 256 * 1024, maxParsedDepth: 1000, maxParsedComments: 200 } as const;

/** Stable codes of what can't be parsed. */
export type SqlProblem =
  'too_long' | 'too_deep' | 'too_many_comments' | 'split_string' | 'nul' | 'not_unicode' | 'syntax' | 'parser_failed';

/** SQL that can't be read. `message` never quotes the statement; `server` does. */
export class UnparseableSqlError extends Error {
  readonly code = 'OPERATION_SQL_UNPARSEABLE';
  override readonly name = 'UnparseableSqlError';
  constructor(
    readonly problem: SqlProblem,
    message: string,
    /** For `syntax`: what PostgreSQL itself answers, and where (characters from 1). It quotes the statement: not for logs. */
    readonly server?: { readonly message: string; readonly position: number },
  ) {
    super(message);
  }
}

/** One statement of a string. `node` is `{ Tag: fields }`; locations are byte offsets into the text. */
export interface RawStatement {
  readonly node: unknown;
  readonly start: number;
}

export interface ParsedSql {
  readonly text: string;
  readonly version: number;
  readonly statements: readonly RawStatement[];
  readonly tokens: readonly Token[];
}

/**
 * Text → parse tree of PostgreSQL 18's own grammar. Locations in the tree are byte offsets (UTF-8).
 * Throws UnparseableSqlError. The text must be what the server will read: client_encoding UTF8, standard_conforming_strings on.
 */
export function parseSql(text: string, limits: ParseLimits = PARSE_LIMITS): ParsedSql {
  const maxDepth = limits.maxParsedDepth ?? PARSE_LIMITS.maxParsedDepth;
  if (text.length > limits.maxParsedBytes || Buffer.byteLength(text) > limits.maxParsedBytes) {
    throw new UnparseableSqlError('too_long', `longer than ${limits.maxParsedBytes} bytes (limits.maxParsedBytes)`);
  }
  // The parser would stop at a NUL, and read half of a pair as something else: neither may differ from what the server reads.
  if (text.includes('\0')) throw new UnparseableSqlError('nul', 'contains a NUL character');
  if (/\p{Surrogate}/u.test(text)) throw new UnparseableSqlError('not_unicode', 'is not well-formed Unicode');
  const found = tokens(text);
  if (nestingOf(text, found) > maxDepth)
    throw new UnparseableSqlError('too_deep', `nests deeper than ${maxDepth} levels (limits.maxParsedDepth)`);
  const maxComments = limits.maxParsedComments ?? PARSE_LIMITS.maxParsedComments;
  if (blockComments(text, found) > maxComments) {
    throw new UnparseableSqlError('too_many_comments', `more than ${maxComments} block comments (limits.maxParsedComments)`);
  }
  // The one place we know of where libpg_query reads other tokens than the server does: nothing may hide in it.
  if (found.some(({ split }) => split)) throw new UnparseableSqlError('split_string', 'a string literal goes on behind a comment');
  // libpg-query refuses the empty string, which PostgreSQL takes.
  if (found.length === 0) return { text, version: 0, statements: [], tokens: found };
  const tree = fieldsOf(ask(() => parseTree(text)));
  return { text, version: Number(tree?.['version'] ?? 0), statements: listOf(tree?.['stmts']).map(statementOf), tokens: found };
}

function blockComments(text: string, found: readonly Token[]): number {
  let count = 0;
  for (const { kind, start, end } of found) {
    if (kind !== 'comment' || text[start] !== '/') continue;
    for (let at = start; at >= 0 && at < end; at = text.indexOf('/*', at + 2)) count++;
  }
  return count;
}

function ask<Result>(question: () => Result): Result {
  try {
    return question();
  } catch (error) {
    if (error instanceof SyntaxProblem)
      throw new UnparseableSqlError('syntax', 'syntax error', { message: error.message, position: error.position });
    if (error instanceof EngineFailure) throw new UnparseableSqlError('parser_failed', error.message);
    throw error;
  }
}

function statementOf(raw: unknown): RawStatement {
  const fields: Fields = fieldsOf(raw) ?? {};
  return { node: fields['stmt'], start: Number(fields['stmt_location'] ?? 0) };
}
