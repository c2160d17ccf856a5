import { BARE_FIELDS } from '../generated/nodes.js';

/** The body of a node of the parse tree, as libpg-query gives it. Typed loosely on purpose: the tree is data from a parser in WASM. */
export type Fields = Readonly<Record<string, unknown>>;

/** A node with its tag, e.g. `{ tag: 'SelectStmt', fields: { targetList: […] } }`. */
export interface Tagged {
  readonly tag: string;
  readonly fields: Fields;
}

const isObject = (value: unknown): value is Fields => typeof value === 'object' && value !== null && !Array.isArray(value);

/** Reads `{ Tag: { … } }`; undefined when the value isn't a tagged node. */
export function tagged(value: unknown): Tagged | undefined {
  if (!isObject(value)) return undefined;
  const keys = Object.keys(value);
  const tag = keys[0];
  if (keys.length !== 1 || tag === undefined || !/^[A-Z]/.test(tag)) return undefined;
  const fields = value[tag];
  return isObject(fields) ? { tag, fields } : undefined;
}

/** The fields of a tagged node if it has this tag. */
export function as(value: unknown, tag: string): Fields | undefined {
  const node = tagged(value);
  return node?.tag === tag ? node.fields : undefined;
}

/** The fields of those items of a list that have this tag. */
export function allAs(value: unknown, tag: string): Fields[] {
  return listOf(value).flatMap((item) => {
    const fields = as(item, tag);
    return fields === undefined ? [] : [fields];
  });
}

export const fieldsOf = (value: unknown): Fields | undefined => (isObject(value) ? value : undefined);
export const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? (value as unknown[]) : []);
export const textOf = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);

/** The text of a String node; the parser leaves an empty one out. */
export function stringOf(value: unknown): string | undefined {
  const fields = as(value, 'String');
  return fields === undefined ? undefined : (textOf(fields['sval']) ?? '');
}

/** The names in a list of String nodes: `schema.name` as ['schema', 'name']. */
export const namesOf = (value: unknown): readonly string[] => listOf(value).flatMap((item) => stringOf(item) ?? []);

/** Names as people write them; who compares must treat a quoted dot as they would. */
export const dotted = (names: readonly string[]): string => names.join('.');

/** Every node directly below this one, with the tags that the parser left out put back. */
export function children(node: Tagged): Tagged[] {
  const found: Tagged[] = [];
  const bare = Object.hasOwn(BARE_FIELDS, node.tag) ? BARE_FIELDS[node.tag] : undefined;
  for (const [field, value] of Object.entries(node.fields)) {
    collect(value, bare !== undefined && Object.hasOwn(bare, field) ? bare[field] : undefined, found);
  }
  return found;
}

function collect(value: unknown, bareTag: string | undefined, found: Tagged[]): void {
  if (Array.isArray(value)) {
    for (const item of value as unknown[]) collect(item, bareTag, found);
    return;
  }
  if (!isObject(value)) return;
  if (bareTag !== undefined) {
    found.push({ tag: bareTag, fields: value });
    return;
  }
  const node = tagged(value);
  // An object that is neither tagged nor known to be bare is a node we can't name: the walker refuses it.
  if (node !== undefined) found.push(node);
  else if (Object.keys(value).length > 0) found.push({ tag: '?', fields: value });
}

/** A constant: the parser leaves zero, false and the empty string out of their nodes. */
export type Constant = { readonly kind: 'null' } | { readonly kind: 'boolean'; readonly value: boolean } | NumberOrString;
type NumberOrString = { readonly kind: 'number'; readonly value: number } | { readonly kind: 'string'; readonly value: string };

export function constantOf(value: unknown): Constant | undefined {
  const node = tagged(value);
  if (node?.tag === 'TypeCast') return constantOf(node.fields['arg']);
  if (node?.tag === 'CollateClause') return constantOf(node.fields['arg']);
  if (node?.tag !== 'A_Const') return undefined;
  const { fields } = node;
  if (fields['isnull'] === true) return { kind: 'null' };
  const ival = fieldsOf(fields['ival']);
  if (ival !== undefined) return { kind: 'number', value: typeof ival['ival'] === 'number' ? ival['ival'] : 0 };
  const fval = fieldsOf(fields['fval']);
  if (fval !== undefined) return { kind: 'number', value: Number(textOf(fval['fval']) ?? '0') };
  const boolval = fieldsOf(fields['boolval']);
  if (boolval !== undefined) return { kind: 'boolean', value: boolval['boolval'] === true };
  const text = fieldsOf(fields['sval']);
  if (text !== undefined) return { kind: 'string', value: textOf(text['sval']) ?? '' };
  const bits = fieldsOf(fields['bsval']);
  if (bits !== undefined) return { kind: 'string', value: textOf(bits['bsval']) ?? '' };
  return undefined;
}
