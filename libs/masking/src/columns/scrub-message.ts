/** Fields of an ErrorResponse or NoticeResponse by their code (protocol chapter "Error and Notice Message Fields"). */
export type MessageFields = ReadonlyMap<string, string>;

/** Severity, SQLSTATE, and the position in the client's own text. */
const KEPT = ['S', 'V', 'C', 'P'];

/** Schema, table, column, type, constraint: names, when the server itself wrote them. RAISE can put anything there. */
const OBJECTS = ['s', 't', 'c', 'd', 'n'];

const WITHHELD = 'message withheld: it could quote a masked column';
const NOTE = 'Details are withheld because they could quote a masked column.';

/**
 * An error or notice without anything that could quote a masked value: no detail, context, internal query or source position, and
 * in its message only those quoted words that the client wrote itself or that name an object. What stored code raises says nothing
 * but its SQLSTATE. Says in the hint that it did so.
 * Call it for every error and notice while the running statement's plan has `scrub`, and while no plan is known but the session has masks.
 * @param statement the client's own SQL text, or '' when there is none
 */
export function scrubMessage(fields: MessageFields, statement: string): Map<string, string> {
  const withhold = cannotBeScrubbed(fields);
  const kept = new Map<string, string>();
  for (const code of withhold ? KEPT : [...KEPT, ...OBJECTS]) {
    const value = fields.get(code);
    if (value !== undefined) kept.set(code, value);
  }
  const names = OBJECTS.flatMap((code) => fields.get(code) ?? []);
  const isTheirs = (word: string): boolean => names.includes(word) || statement.includes(word);
  kept.set('M', withhold ? WITHHELD : scrubQuotes(fields.get('M') ?? '', isTheirs));
  kept.set('H', NOTE);
  return kept;
}

function cannotBeScrubbed(fields: MessageFields): boolean {
  const context = fields.get('W') ?? '';
  // RAISE and its kin leave the context of their function; COPY leaves where in the client's own data it was.
  if (context !== '' && !context.startsWith('COPY ')) return true;
  // A translated message quotes in other ways, and nobody checked them all. V is never translated.
  return fields.get('S') !== fields.get('V') || /[\u00ab\u00bb\u2018-\u201f\u2039\u203a]/.test(fields.get('M') ?? '');
}

/** A value may hold quotes itself, so with one unknown word goes everything from the first quote to the last. */
function scrubQuotes(text: string, isTheirs: (word: string) => boolean): string {
  const words = text.split('"').filter((_part, i) => i % 2 === 1);
  const paired = text.split('"').length % 2 === 1;
  return paired && words.every(isTheirs) ? text : text.replace(/"[\s\S]*"?/, (span) => `"[redacted]"${afterLast(span)}`);
}

function afterLast(span: string): string {
  const end = span.lastIndexOf('"');
  return end > 0 ? span.slice(end + 1) : '';
}
