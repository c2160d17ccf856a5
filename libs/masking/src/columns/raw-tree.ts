import type { ParsedSql } from '@sallyport/operation';

/** The parse tree as libpg-query gives it: `{ Tag: { field: value } }`, lists, strings, numbers, booleans. */
export type Raw = Readonly<Record<string, unknown>>;

export function isRaw(value: unknown): value is Raw {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** `{ Tag: fields }` → `[Tag, fields]`. */
export function tagOf(value: unknown): readonly [string, Raw] | undefined {
  if (!isRaw(value)) return undefined;
  const [entry, more] = Object.entries(value);
  return entry && !more && /^[A-Z]/.test(entry[0]) && isRaw(entry[1]) ? [entry[0], entry[1]] : undefined;
}

export function textField(fields: Raw, name: string): string {
  const value = fields[name];
  return typeof value === 'string' ? value : '';
}

export function stringsOf(list: unknown): string[] {
  if (!Array.isArray(list)) return [];
  return (list as unknown[]).map((item) => {
    const string = isRaw(item) ? item['String'] : undefined;
    return isRaw(string) ? textField(string, 'sval') : '';
  });
}

/** Every object of a tree with the field or tag it stands under. */
export function everyRaw(value: unknown, visit: (name: string, fields: Raw) => void, name = ''): void {
  if (Array.isArray(value)) {
    for (const item of value as unknown[]) everyRaw(item, visit, name);
  } else if (isRaw(value)) {
    visit(name, value);
    for (const [key, inner] of Object.entries(value)) everyRaw(inner, visit, key);
  }
}

export interface RawRelation {
  readonly schema: string;
  readonly name: string;
}

/** Relations that a tree names: every object with a `relname`, tagged or not. */
export function relationsIn(value: unknown): RawRelation[] {
  const found: RawRelation[] = [];
  everyRaw(value, (_name, fields) => {
    if (typeof fields['relname'] === 'string') found.push({ schema: textField(fields, 'schemaname'), name: fields['relname'] });
  });
  return found;
}

/** Functions that a tree calls by name, `schema.name` or `name`. */
export function functionsIn(value: unknown): string[] {
  const found: string[] = [];
  everyRaw(value, (name, fields) => {
    if (name === 'FuncCall') found.push(stringsOf(fields['funcname']).join('.'));
  });
  return found;
}

/** Operators that a tree uses, without their schema. LIKE is `~~`, IN is `=`. */
export function operatorsIn(value: unknown): string[] {
  const found: string[] = [];
  everyRaw(value, (name, fields) => {
    if (name === 'A_Expr') found.push(stringsOf(fields['name']).at(-1) ?? '');
    if (name === 'SubLink' && fields['operName'] !== undefined) found.push(stringsOf(fields['operName']).at(-1) ?? '');
  });
  return found;
}

const POSITION = /(?:^|_)(?:location|start|end|len)$/;

/** Two trees that differ in nothing but where they stand in their text mean the same. */
export function shapeOf(node: unknown): string {
  return JSON.stringify(node, (key, value: unknown) => (POSITION.test(key) && typeof value === 'number' ? undefined : value));
}

/** One statement of a string with its own text, without the semicolon. */
export interface OneStatement {
  readonly node: unknown;
  readonly text: string;
}

export function eachStatement(parsed: ParsedSql): OneStatement[] {
  const bytes = Buffer.from(parsed.text);
  const offset = (byte: number): number => bytes.subarray(0, byte).toString().length;
  return parsed.statements.map((statement, i) => {
    const start = offset(statement.start);
    const next = parsed.statements[i + 1];
    const end = next ? offset(next.start) : parsed.text.length;
    const own = parsed.tokens.filter(
      (token) => token.start >= start && token.end <= end && token.kind !== 'comment' && parsed.text.slice(token.start, token.end) !== ';',
    );
    return { node: statement.node, text: parsed.text.slice(own[0]?.start ?? start, own.at(-1)?.end ?? start) };
  });
}
