import { call, recordSetting } from './calls.js';
import type { PostgresClass } from './classes.js';
import { type Context, walkField } from './context.js';
import { Facts } from './facts.js';
import { tableLock } from './locks.js';
import { walkDml, walkSelect } from './queries.js';
import { named, type Outcome, type Rule } from './rule.js';
import { Scope } from './scope.js';
import { settingChange } from './settings.js';
import { readTable, relation, tableName, writeTable, written } from './tables.js';
import { allAs, as, constantOf, fieldsOf, listOf, namesOf, stringOf, tagged, textOf, type Fields } from './tree.js';

export const select: Rule = (fields, context) => {
  context.facts.classes.add('postgres.read');
  walkSelect(fields, context, 'output');
  const count = constantOf(fields['limitCount']);
  const counted = fields['limitOption'] === 'LIMIT_OPTION_COUNT' && count?.kind === 'number' && Number.isInteger(count.value);
  return { kind: 'select', ...(counted ? { limit: count.value } : {}) };
};

export function dml(tag: string, kind: string): Rule {
  return (fields, context) => {
    walkDml({ tag, fields }, context, 'output');
    return { kind };
  };
}

/** The statement inside EXPLAIN, PREPARE, DECLARE, COPY (…): its own class, its columns still what the client gets. */
function inner(value: unknown, context: Context): Outcome {
  const node = tagged(value);
  switch (node?.tag) {
    case 'SelectStmt':
      return select(node.fields, context);
    case 'InsertStmt':
    case 'UpdateStmt':
    case 'DeleteStmt':
    case 'MergeStmt':
      return dml(node.tag, 'dml')(node.fields, context);
    case 'ExecuteStmt':
      return execute(node.fields, context);
    case undefined:
      return { kind: 'unknown' };
    default:
      context.visit(node!, context);
      return { kind: 'other' };
  }
}

/** EXECUTE says nothing of what it does: whoever knows the session's prepared statements must put their facts beside it. */
export const execute: Rule = (fields, context) => {
  context.facts.classes.add('postgres.session.execute');
  context.facts.unresolved.add(`execute:${textOf(fields['name']) ?? ''}`);
  walkField(fields['params'], context);
  return { kind: 'execute', ...named(fields['name']) };
};

export const prepare: Rule = (fields, context) => {
  inner(fields['query'], context);
  return { kind: 'prepare', ...named(fields['name']) };
};

export const declareCursor: Rule = (fields, context) => {
  inner(fields['query'], context);
  return { kind: 'declare_cursor', ...named(fields['portalname']) };
};

const OFF = new Set(['false', 'off', 'fals', 'fal', 'fa', 'f', 'of', 'no', 'n', '0']);

/** What EXPLAIN without ANALYZE may still do: the planner runs functions that say they are stable or immutable. */
const WHILE_PLANNING = new Set<PostgresClass>([
  'postgres.write.call',
  'postgres.server.function',
  'postgres.dynamic.function',
  'postgres.unknown',
  'postgres.session.execute',
]);

export const explain: Rule = (fields, context) => {
  const options = allAs(fields['options'], 'DefElem');
  const runs = options.some((option) => textOf(option['defname'])?.toLowerCase() === 'analyze' && !isOff(option['arg']));
  if (runs) {
    const { name } = inner(fields['query'], context);
    return { kind: 'explain', ...named(name) };
  }
  const facts = new Facts();
  const { name } = inner(fields['query'], { ...context, facts });
  const into = context.facts;
  into.classes.add('postgres.read');
  for (const className of facts.classes) if (WHILE_PLANNING.has(className)) into.classes.add(className);
  for (const table of facts.tables) into.table(table.schema, table.name, 'read');
  for (const { table, name, access, place } of facts.columns) if (access === 'read') into.column(table, name, access, place);
  for (const name of facts.functions) into.functions.add(name);
  for (const reason of facts.unresolved) into.unresolved.add(reason);
  if (facts.dynamic) into.dynamic = true;
  return { kind: 'explain', ...named(name) };
};

function isOff(arg: unknown): boolean {
  const number = as(arg, 'Integer');
  if (number !== undefined) return (number['ival'] ?? 0) === 0;
  const text = stringOf(arg);
  return text !== undefined && OFF.has(text.toLowerCase());
}

export const copy: Rule = (fields, context) => {
  const { facts } = context;
  const filename = textOf(fields['filename']);
  const program = fields['is_program'] === true;
  const from = fields['is_from'] === true;
  if (program) facts.classes.add('postgres.server.copy_program');
  else if (filename !== undefined) facts.classes.add('postgres.server.copy_file');
  if (fields['query'] !== undefined) inner(fields['query'], context);
  const rangeVar = fieldsOf(fields['relation']);
  if (rangeVar !== undefined) copyTable(fields, rangeVar, from, context);
  return { kind: 'copy', copy: program ? 'program' : filename !== undefined ? 'file' : from ? 'stdin' : 'stdout' };
};

function copyTable(fields: Fields, rangeVar: Fields, from: boolean, context: Context): void {
  const { facts } = context;
  const name = tableName(rangeVar);
  facts.classes.add(from ? 'postgres.write.copy' : 'postgres.read');
  if (from) writeTable(name, facts);
  else readTable(name, facts);
  const columns = namesOf(fields['attlist']);
  for (const column of columns.length === 0 ? ['*'] : columns) {
    facts.column(written(name), column, from ? 'write' : 'read', from ? 'target' : 'output');
  }
  const scope = new Scope(context.scope);
  scope.add(relation(rangeVar));
  walkField([fields['whereClause']], { ...context, scope });
}

export const createTableAs: Rule = (fields, context) => {
  context.facts.classes.add('postgres.ddl.create');
  const node = tagged(fields['query']);
  const outcome = node?.tag === 'ExecuteStmt' ? execute(node.fields, context) : undefined;
  // Not the client's output: a copy, out of reach of what masks by table.
  if (outcome === undefined) walkField([fields['query']], context);
  writeTable(tableName(fieldsOf(fieldsOf(fields['into'])?.['rel']) ?? {}), context.facts);
  return { kind: fields['objtype'] === 'OBJECT_MATVIEW' ? 'create_matview' : 'create_table_as', ...named(outcome?.name) };
};

export const set: Rule = (fields, context) => {
  const kind = String(fields['kind']);
  const name = textOf(fields['name']) ?? '';
  walkField(fields['args'], context);
  if (kind === 'VAR_RESET_ALL') {
    context.facts.classes.add('postgres.session.reset');
    return { kind: 'reset' };
  }
  if (kind === 'VAR_SET_MULTI') {
    context.facts.classes.add('postgres.session.set');
    return { kind: 'set', setting: name.toLowerCase() };
  }
  const toDefault = kind === 'VAR_RESET' || kind === 'VAR_SET_DEFAULT';
  const constants = listOf(fields['args']).map(constantOf);
  const values = constants.flatMap((constant) =>
    constant === undefined ? [] : constant.kind === 'null' ? ['null'] : [String(constant.value)],
  );
  const known = kind === 'VAR_SET_VALUE' && values.length === constants.length;
  const change = settingChange(name, toDefault ? null : known ? values : undefined);
  recordSetting(change, context.facts);
  return { kind: kind === 'VAR_RESET' ? 'reset' : 'set', setting: change.name };
};

export const show: Rule = (fields, context) => {
  context.facts.classes.add('postgres.session.show');
  return { kind: 'show', setting: (textOf(fields['name']) ?? '').toLowerCase() };
};

const TRANSACTION: Readonly<Record<string, readonly [kind: string, className: PostgresClass]>> = {
  TRANS_STMT_BEGIN: ['begin', 'postgres.session.begin'],
  TRANS_STMT_START: ['begin', 'postgres.session.begin'],
  TRANS_STMT_COMMIT: ['commit', 'postgres.session.commit'],
  TRANS_STMT_ROLLBACK: ['rollback', 'postgres.session.rollback'],
  TRANS_STMT_SAVEPOINT: ['savepoint', 'postgres.session.savepoint'],
  TRANS_STMT_RELEASE: ['release', 'postgres.session.savepoint'],
  TRANS_STMT_ROLLBACK_TO: ['rollback_to', 'postgres.session.rollback'],
  // A prepared transaction outlives its session, and whoever commits it commits somebody else's work.
  TRANS_STMT_PREPARE: ['prepare_transaction', 'postgres.write.two_phase'],
  TRANS_STMT_COMMIT_PREPARED: ['commit_prepared', 'postgres.write.two_phase'],
  TRANS_STMT_ROLLBACK_PREPARED: ['rollback_prepared', 'postgres.write.two_phase'],
};

export const transaction: Rule = (fields, context) => {
  const [kind, className] = TRANSACTION[String(fields['kind'])] ?? (['transaction', 'postgres.unknown'] as const);
  context.facts.classes.add(className);
  return { kind, ...named(fields['savepoint_name']) };
};

export const lockTable: Rule = (fields, context) => {
  context.facts.classes.add('postgres.write.lock');
  context.facts.lock(tableLock(fields['mode']));
  walkField(fields['relations'], { ...context, tableAccess: 'read' });
  return { kind: 'lock' };
};

/** The procedure's name is judged too: CALL reaches what SELECT reaches. */
export const callProcedure: Rule = (fields, context) => {
  context.facts.classes.add('postgres.write.call');
  const funccall = fieldsOf(fields['funccall']) ?? {};
  call(namesOf(funccall['funcname']), [], context.facts);
  walkField(funccall['args'], context);
  return { kind: 'call' };
};

export const doBlock: Rule = (_fields, context) => {
  context.facts.classes.add('postgres.dynamic.do');
  context.facts.dynamic = true;
  return { kind: 'do' };
};

/** FETCH gives what the cursor's own statement was judged for; the name says which one. */
export const fetch: Rule = (fields, context) => {
  context.facts.classes.add('postgres.session.fetch');
  return { kind: fields['ismove'] === true ? 'move' : 'fetch', ...named(fields['portalname']) };
};

/** CREATE VIEW and CREATE RULE: a statement put down for later, under the owner's rights. */
export function stored(kind: string, className: PostgresClass, target: string, bodies: readonly string[]): Rule {
  return (fields, context) => {
    context.facts.classes.add(className);
    const rangeVar = fieldsOf(fields[target]) ?? {};
    writeTable(tableName(rangeVar), context.facts);
    const scope = new Scope(context.scope);
    // Rules speak of the rows as OLD and NEW.
    if (kind === 'create_rule')
      scope.add({ ...relation(rangeVar), alias: 'old' }, { ...relation(rangeVar), alias: 'new', byNameOnly: true });
    for (const body of bodies) walkField([fields[body]], { ...context, scope, tableAccess: 'write' });
    return { kind };
  };
}
