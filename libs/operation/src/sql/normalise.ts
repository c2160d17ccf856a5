import type { ParsedSql } from './parse.js';
import { as, children, fieldsOf, listOf, tagged, textOf, type Tagged } from './tree.js';

/** Settings whose value is a name that a reader of the record wants, not data. A quoted literal goes all the same. */
const NAMED_VALUES = new Set(['role', 'session_authorization', 'search_path']);

/**
 * The text without its literals and comments: every constant becomes `$n`, numbered after the statement's own parameters. The parser's
 * own normaliser keeps literals in COPY and other utility statements, and comments; this text is kept for ever, so we cut it ourselves from the
 * tokens. Words go too where a setting takes them as a value (`SET app.token = abc`). Identifiers stay, quoted ones included:
 * who puts a secret into a name is left to the detectors.
 */
export function normalise({ text, tokens, statements }: ParsedSql): string {
  const values = valueOffsets(statements.map(({ node }) => tagged(node)));
  const bytesAt = byteOffsets(text, values.size > 0);
  let next = highestParameter(text, tokens) + 1;
  let out = '';
  let last = 0;
  for (const token of tokens) {
    if (token.kind === 'comment') continue;
    if (out !== '' && token.start > last) out += ' ';
    last = token.end;
    const isValue =
      token.kind === 'literal' ||
      ((token.kind === 'word' || token.kind === 'quoted') && values.size > 0 && values.has(bytesAt(token.start)));
    // A literal right after a word (`x'ff'` is one token, `n''x` isn't) must not grow together with it.
    out += isValue ? `$${next++}` : text.slice(token.start, token.end);
  }
  return out;
}

function highestParameter(text: string, tokens: ParsedSql['tokens']): number {
  let highest = 0;
  for (const { kind, start, end } of tokens) if (kind === 'parameter') highest = Math.max(highest, Number(text.slice(start + 1, end)));
  return Number.isSafeInteger(highest) ? highest : 0;
}

/** Byte offsets of the constants in every SET, wherever it stands: the grammar takes words for them. */
function valueOffsets(nodes: readonly (Tagged | undefined)[]): Set<number> {
  const found = new Set<number>();
  const pending = nodes.filter((node) => node !== undefined);
  for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
    if (!MAY_SET.has(node.tag)) continue;
    if (node.tag === 'VariableSetStmt' && !NAMED_VALUES.has((textOf(node.fields['name']) ?? '').toLowerCase())) {
      for (const arg of listOf(node.fields['args'])) {
        const location = fieldsOf(as(arg, 'A_Const'))?.['location'];
        if (typeof location === 'number') found.add(location);
      }
    }
    pending.push(...children(node));
  }
  return found;
}

const MAY_SET = new Set([
  'VariableSetStmt',
  'AlterRoleSetStmt',
  'AlterDatabaseSetStmt',
  'AlterSystemStmt',
  'CreateFunctionStmt',
  'AlterFunctionStmt',
  'DefElem',
]);

/** The tree counts bytes of UTF-8, tokens count UTF-16 units. Asked for places in rising order, it reads the text once. */
function byteOffsets(text: string, needed: boolean): (at: number) => number {
  if (!needed || Buffer.byteLength(text) === text.length) return (at) => at;
  let known = 0;
  let bytes = 0;
  return (at) => {
    bytes += Buffer.byteLength(text.slice(known, at));
    known = at;
    return bytes;
  };
}
