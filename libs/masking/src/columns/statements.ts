import { type RawRelation, type Raw, functionsIn, isRaw, operatorsIn, relationsIn, stringsOf, tagOf, textField } from './raw-tree.js';
import { PLAIN_FUNCTIONS, PLAIN_OPERATORS } from './functions.js';

/** What a statement is to masking. `inner` is the tree of a statement inside it. */
export type Shape =
  | { readonly is: 'query'; readonly returnsRows: boolean }
  | { readonly is: 'explain'; readonly inner: unknown }
  /** The rows go to a place that no row description describes: COPY TO, CREATE TABLE AS, CREATE VIEW. */
  | { readonly is: 'copies'; readonly inner: unknown; readonly what: string }
  | { readonly is: 'copies-table'; readonly select: string; readonly what: string }
  | { readonly is: 'names'; readonly kind: 'prepared' | 'cursor'; readonly name: string; readonly inner: unknown }
  | { readonly is: 'by-name'; readonly kind: 'prepared' | 'cursor'; readonly name: string; readonly copies: boolean }
  /** Nothing in it can return a masked value. `shifts`: after it, names may mean something else. */
  | { readonly is: 'utility'; readonly shifts: boolean }
  | { readonly is: 'refuse'; readonly reason: string };

/** Utility statements that return no column's values and run no code of the agent's. */
const HARMLESS = new Set([
  'CheckPointStmt',
  'ClosePortalStmt',
  'ConstraintsSetStmt',
  'DeallocateStmt',
  'LockStmt',
  'NotifyStmt',
  'TruncateStmt',
  'UnlistenStmt',
  'VacuumStmt',
  'VariableShowStmt',
  'ClusterStmt',
  'ReindexStmt',
  'CommentStmt',
]);

/** DDL that is fine as long as it names nothing that leads to a masked column and calls no function of unknown content. */
const DDL = new Set([
  'AlterEnumStmt',
  'AlterSeqStmt',
  'AlterTableStmt',
  'CompositeTypeStmt',
  'CreateEnumStmt',
  'CreateSchemaStmt',
  'CreateSeqStmt',
  'CreateStmt',
  'DropStmt',
  'IndexStmt',
]);

const ROWS = new Set(['InsertStmt', 'UpdateStmt', 'DeleteStmt', 'MergeStmt']);

/** @param names bare names of whatever leads to a masked column. */
export function shapeOfStatement(node: unknown, names: ReadonlySet<string>): Shape {
  const tagged = tagOf(node);
  if (!tagged) return refuse('the statement is of an unknown kind');
  const [tag, fields] = tagged;
  if (tag === 'SelectStmt') {
    return hasInto(fields) ? refuse('SELECT INTO copies rows; CREATE TABLE AS can be checked') : { is: 'query', returnsRows: true };
  }
  if (ROWS.has(tag)) return { is: 'query', returnsRows: 'returningList' in fields || 'returningClause' in fields };
  if (HARMLESS.has(tag)) return { is: 'utility', shifts: false };
  if (DDL.has(tag)) return ddl(tag, fields, names);
  switch (tag) {
    case 'ExplainStmt':
      return { is: 'explain', inner: fields['query'] };
    case 'PrepareStmt':
      return { is: 'names', kind: 'prepared', name: textField(fields, 'name'), inner: fields['query'] };
    case 'DeclareCursorStmt':
      return { is: 'names', kind: 'cursor', name: textField(fields, 'portalname'), inner: fields['query'] };
    case 'ExecuteStmt':
      return { is: 'by-name', kind: 'prepared', name: textField(fields, 'name'), copies: false };
    case 'FetchStmt':
      return { is: 'by-name', kind: 'cursor', name: textField(fields, 'portalname'), copies: false };
    case 'CreateTableAsStmt':
      return createTableAs(fields);
    case 'ViewStmt':
      return { is: 'copies', inner: fields['query'], what: 'CREATE VIEW' };
    case 'RefreshMatViewStmt':
      return { is: 'utility', shifts: false };
    case 'CopyStmt':
      return copy(fields);
    case 'VariableSetStmt':
      return set(fields);
    case 'TransactionStmt':
      return { is: 'utility', shifts: !/_(?:BEGIN|START|SAVEPOINT|RELEASE)$/.test(textField(fields, 'kind')) };
    case 'DiscardStmt':
      return { is: 'utility', shifts: true };
    case 'RenameStmt':
    case 'AlterObjectSchemaStmt':
      return rename(fields, names);
    case 'ListenStmt':
      return refuse('a notification can carry any value, and comes with no description');
    default:
      return refuse(`what ${tag.replace(/Stmt$/, '')} reads or leaves behind can't be followed`);
  }
}

function refuse(reason: string): Shape {
  return { is: 'refuse', reason };
}

/** SELECT INTO, also under the first branch of a set operation, where the grammar allows it. */
function hasInto(select: Raw): boolean {
  if ('intoClause' in select) return true;
  const left = select['larg'];
  return isRaw(left) && hasInto(tagOf(left)?.[1] ?? left);
}

function createTableAs(fields: Raw): Shape {
  const inner = fields['query'];
  const execute = isRaw(inner) ? inner['ExecuteStmt'] : undefined;
  if (isRaw(execute)) return { is: 'by-name', kind: 'prepared', name: textField(execute, 'name'), copies: true };
  return { is: 'copies', inner, what: 'CREATE TABLE AS' };
}

function copy(fields: Raw): Shape {
  if (fields['query'] !== undefined) return { is: 'copies', inner: fields['query'], what: 'COPY' };
  if (fields['is_from'] === true) {
    const unknown = unknownFunction(fields);
    return unknown === undefined ? { is: 'utility', shifts: false } : refuse(`what ${unknown} reads can't be seen from outside`);
  }
  const [relation] = relationsIn(fields['relation']);
  if (!relation) return refuse('the copied table is not named');
  const columns = stringsOf(fields['attlist']).map(quote).join(', ') || '*';
  return { is: 'copies-table', select: `SELECT ${columns} FROM ${qualified(relation)}`, what: 'COPY' };
}

function quote(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

function qualified(relation: RawRelation): string {
  return relation.schema ? `${quote(relation.schema)}.${quote(relation.name)}` : quote(relation.name);
}

function set(fields: Raw): Shape {
  const name = textField(fields, 'name').toLowerCase();
  const kind = textField(fields, 'kind');
  const resets = kind === 'VAR_RESET' || kind === 'VAR_RESET_ALL' || kind === 'VAR_SET_DEFAULT';
  if (resets) return { is: 'utility', shifts: kind === 'VAR_RESET_ALL' || name === 'search_path' || name === 'role' };
  if (name === 'role' || name === 'session_authorization') return refuse(`after SET ${name} names are looked up as somebody else`);
  if (name === 'standard_conforming_strings') return refuse('it changes how the server reads statements');
  if (name === 'client_encoding' && !/"sval":"utf-?_?8"|"sval":"unicode"/i.test(JSON.stringify(fields['args'] ?? null))) {
    return refuse('values can be masked in UTF-8 only');
  }
  return { is: 'utility', shifts: name === 'search_path' };
}

function ddl(tag: string, fields: Raw, names: ReadonlySet<string>): Shape {
  // A dropped table shows nothing.
  if (tag === 'DropStmt') return { is: 'utility', shifts: true };
  if (tag === 'CreateSchemaStmt' && fields['schemaElts'] !== undefined)
    return refuse('objects created inside CREATE SCHEMA are not checked one by one');
  const touched = relationsIn(fields).find((relation) => names.has(relation.name));
  if (touched) return refuse(`it changes, indexes or copies the shape of ${touched.name}, which leads to a masked column`);
  const unknown = unknownFunction(fields);
  if (unknown !== undefined) return refuse(`what ${unknown} reads can't be seen from outside`);
  return { is: 'utility', shifts: true };
}

function rename(fields: Raw, names: ReadonlySet<string>): Shape {
  const relations = relationsIn(fields['relation']);
  if (relations.length === 0 || 'object' in fields) return refuse('a renamed object could take a masked column out of sight');
  if (relations.some((relation) => names.has(relation.name))) return refuse('it renames something that leads to a masked column');
  return { is: 'utility', shifts: true };
}

function unknownFunction(tree: unknown): string | undefined {
  const fn = functionsIn(tree).find((name) => !PLAIN_FUNCTIONS.has(name.replace(/^pg_catalog\./, '')));
  if (fn !== undefined) return `the function ${fn}`;
  const operator = operatorsIn(tree).find((name) => !PLAIN_OPERATORS.has(name));
  return operator === undefined ? undefined : `the operator ${operator}`;
}

/** True for a statement after which the session may have objects that the side connection can't see or that outlive a change of masks. */
export function makesObjects(node: unknown): boolean {
  const tagged = tagOf(node);
  if (!tagged) return true;
  return /^(?:Create|View|Do|Call|Rename|Alter|Rule|Define|Import)/.test(tagged[0]) || (tagged[0] === 'SelectStmt' && hasInto(tagged[1]));
}

/** Nodes of a statement that reads no table and calls nothing unknown, so that it needs no analysis. */
const CONSTANT = new Set(['SelectStmt', 'ResTarget', 'A_Const', 'FuncCall', 'SQLValueFunction', 'String', 'ParamRef']);

export function isConstantSelect(node: unknown): boolean {
  if (!isRaw(node)) return false;
  let only = 'SelectStmt' in node && unknownFunction(node) === undefined;
  const visit = (value: unknown): void => {
    if (Array.isArray(value)) value.forEach(visit);
    else if (isRaw(value)) {
      for (const [key, inner] of Object.entries(value)) {
        if (/^[A-Z]/.test(key) && !CONSTANT.has(key)) only = false;
        if (['fromClause', 'withClause', 'larg', 'rarg', 'intoClause'].includes(key)) only = false;
        visit(inner);
      }
    }
  };
  visit(node);
  return only;
}
