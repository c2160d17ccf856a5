/**
 * PostgreSQL's lexical rules (manual, chapter 4.1), as far as cutting a text into tokens needs them, with
 * standard_conforming_strings on. The parser's own scanner would do, but it answers in JSON that breaks on control characters
 * and costs four times the parse. Nothing is judged by these tokens: they bound the nesting before the parser runs, and they say what to
 * leave out of the text that is recorded. A spec holds them against the parser's scanner.
 */
export interface Token {
  readonly kind: 'word' | 'quoted' | 'literal' | 'parameter' | 'comment' | 'other';
  /** A string that goes on behind a comment: PostgreSQL joins the parts, libpg_query doesn't. */
  readonly split?: true;
  /** In UTF-16 units, end exclusive. */
  readonly start: number;
  readonly end: number;
}

const SPACE = /[ \t\n\r\f\v]+/y;
const LINE_COMMENT = /--[^\n\r]*/y;
const WORD = /[A-Za-z_\u0080-\uffff][A-Za-z0-9_$\u0080-\uffff]*/y;
const NUMBER =
  /0[xX](?:_?[0-9A-Fa-f])+|0[oO](?:_?[0-7])+|0[bB](?:_?[01])+|(?:\d(?:_?\d)*(?:\.(?!\.)(?:\d(?:_?\d)*)?)?|\.\d(?:_?\d)*)(?:[eE][+-]?\d(?:_?\d)*)?/y;
const PARAMETER = /\$\d+/y;
const DOLLAR_TAG = /\$(?:[A-Za-z_\u0080-\uffff][A-Za-z0-9_\u0080-\uffff]*)?\$/y;
const STRING_START = /(?:[eEnNbBxX]|[uU]&)?'/y;
/** A string goes on after white space with a line break in it, and keeps its kind: in `E'a'⏎'b\\'c'` the second part has escapes too. */
const CONTINUATION = /(?:[ \t\f\v]|--[^\n\r]*)*[\n\r](?:[ \t\n\r\f\v]|--[^\n\r]*[\n\r])*'/y;
const QUOTED_START = /(?:[uU]&)?"/y;

function match(pattern: RegExp, text: string, at: number): number {
  pattern.lastIndex = at;
  return pattern.test(text) ? pattern.lastIndex : -1;
}

/** Comments nest. An open one runs to the end. */
function blockCommentEnd(text: string, at: number): number {
  let depth = 0;
  for (let i = at; i < text.length; i++) {
    if (text.startsWith('/*', i)) {
      depth++;
      i++;
    } else if (text.startsWith('*/', i)) {
      depth--;
      i++;
      if (depth === 0) return i + 1;
    }
  }
  return text.length;
}

/** A literal that is open at the end of the text, or anything else that doesn't lex, becomes tokens all the same: the parser refuses those texts. */
export function tokens(text: string): Token[] {
  const found: Token[] = [];
  let at = 0;
  while (at < text.length) {
    const space = match(SPACE, text, at);
    if (space > 0) {
      at = space;
      continue;
    }
    const token = next(text, at);
    found.push(token);
    at = token.end;
  }
  return found;
}

/** Loops rather than one pattern: a long literal would exhaust the pattern engine's stack. */
function quoteEnd(text: string, from: number, quote: string, backslashes: boolean): number {
  for (let i = from; i < text.length; i++) {
    const char = text[i];
    if (backslashes && char === '\\') i++;
    else if (char === quote) {
      if (text[i + 1] !== quote) return i + 1;
      i++;
    }
  }
  return text.length;
}

function stringToken(text: string, start: number, from: number, escapes: boolean): Token {
  let end = quoteEnd(text, from, "'", escapes);
  let split = false;
  for (let more = match(CONTINUATION, text, end); more > 0; more = match(CONTINUATION, text, end)) {
    split ||= text.slice(end, more).includes('--');
    end = quoteEnd(text, more, "'", escapes);
  }
  return { kind: 'literal', start, end, ...(split ? { split } : {}) };
}

function next(text: string, start: number): Token {
  const first = text[start]!;
  const token = (kind: Token['kind'], end: number): Token => ({ kind, start, end });
  if (first === '-') {
    const end = match(LINE_COMMENT, text, start);
    return end > 0 ? token('comment', end) : token('other', start + 1);
  }
  if (first === '/' && text[start + 1] === '*') return token('comment', blockCommentEnd(text, start));
  if (first === '$') return dollar(text, start, token);
  const string = match(STRING_START, text, start);
  if (string > 0) return stringToken(text, start, string, first === 'e' || first === 'E');
  const quoted = match(QUOTED_START, text, start);
  if (quoted > 0) return token('quoted', quoteEnd(text, quoted, '"', false));
  // PL/pgSQL's range: the second dot doesn't begin a number.
  if (text.startsWith('..', start)) return token('other', start + 2);
  const number = match(NUMBER, text, start);
  if (number > 0) return token('literal', number);
  const word = match(WORD, text, start);
  return word > 0 ? token('word', word) : token('other', start + 1);
}

function dollar(text: string, start: number, token: (kind: Token['kind'], end: number) => Token): Token {
  const parameter = match(PARAMETER, text, start);
  if (parameter > 0) return token('parameter', parameter);
  const tag = match(DOLLAR_TAG, text, start);
  if (tag < 0) return token('other', start + 1);
  const close = text.indexOf(text.slice(start, tag), tag);
  return token('literal', close < 0 ? text.length : close + tag - start);
}
