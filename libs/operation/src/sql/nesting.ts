import type { Token } from './lexer.js';

/** Chains that nest without brackets, and what a link weighs: how much of the parser's stack it takes, compared to an operator. */
const CHAIN: Readonly<Record<string, number>> = { UNION: 4, INTERSECT: 4, EXCEPT: 4, JOIN: 2, BETWEEN: 4 };
const OPEN = new Set(['(', '[', 'CASE', 'BEGIN']);
const CLOSE = new Set([')', ']', 'END']);
const RESET = new Set([',', 'AND', 'OR', 'SELECT']);

interface Level {
  /** Weight of the levels around this one. */
  readonly around: number;
  /** Tokens since the last separator: none of them can nest deeper than they are many. */
  run: number;
  chain: number;
}

/**
 * An upper bound for how deep the parse tree can be. The parser recurses, and a stack that overflows inside WASM leaves it damaged:
 * after some dozens of times it answers nonsense. So what might nest too deep is refused unparsed.
 */
export function nestingOf(text: string, tokens: readonly Token[]): number {
  const levels: Level[] = [{ around: 0, run: 0, chain: 0 }];
  let deepest = 0;
  for (const token of tokens) {
    if (token.kind === 'comment') continue;
    const level = levels.at(-1)!;
    const length = token.end - token.start;
    const word = length <= 9 && (token.kind === 'word' || token.kind === 'other') ? text.slice(token.start, token.end).toUpperCase() : '';
    level.chain += CHAIN[word] ?? 0;
    level.run = RESET.has(word) ? 0 : level.run + 1;
    if (word === ';') {
      level.run = 0;
      level.chain = 0;
    }
    const here = level.around + level.run + level.chain;
    if (here > deepest) deepest = here;
    if (OPEN.has(word)) levels.push({ around: here, run: 0, chain: 0 });
    else if (CLOSE.has(word) && levels.length > 1) levels.pop();
  }
  return deepest;
}
