import type { ColumnUse } from '../operation.js';
import { readColumn } from './columns.js';
import { walkFrom } from './from.js';
import { rowLock } from './locks.js';
import { type CteFrame, derived, type Relation, Scope } from './scope.js';
import { relation, tableName, writeTable, written } from './tables.js';
import { allAs, as, constantOf, fieldsOf, listOf, stringOf, tagged, textOf, type Fields, type Tagged } from './tree.js';
import { selectsRows } from './where.js';
import { type Context, walkField } from './context.js';

type Place = Exclude<ColumnUse['place'], 'target'>;

/** SELECT, VALUES, TABLE and set operations. `place` is what a plain column of its target list is. */
export function walkSelect(fields: Fields, outer: Context, place: Place): void {
  const context = withClause(fields['withClause'], outer);
  const scope = new Scope(outer.scope);
  const inner: Context = { ...context, scope };
  const into = fieldsOf(fields['intoClause']);
  if (into !== undefined) {
    outer.facts.classes.add('postgres.write.into');
    writeTable(tableName(fieldsOf(into['rel']) ?? {}), outer.facts);
  }
  if (textOf(fields['op']) !== undefined && fields['op'] !== 'SETOP_NONE') {
    walkSelect(fieldsOf(fields['larg']) ?? {}, context, 'expression');
    walkSelect(fieldsOf(fields['rarg']) ?? {}, context, 'expression');
  }
  for (const item of listOf(fields['fromClause'])) walkFrom(item, scope, inner);
  walkField(fields['valuesLists'], inner);
  const targets = listOf(fields['targetList']);
  outputs(targets, inner, into === undefined ? place : 'expression');
  walkField([fields['whereClause'], fields['havingClause'], fields['windowClause'], fields['limitOffset'], fields['limitCount']], inner);
  const keys = ['distinctClause', 'groupClause', 'sortClause'].flatMap((clause) => listOf(fields[clause]));
  if (keys.length > 0) byPosition(keys, targets, inner);
  for (const clause of listOf(fields['lockingClause'])) {
    outer.facts.lock(rowLock(as(clause, 'LockingClause')?.['strength']));
    outer.facts.classes.add('postgres.write.lock');
  }
}

function outputs(targets: readonly unknown[], context: Context, place: Place): void {
  for (const target of targets) {
    const value = as(target, 'ResTarget')?.['val'];
    const column = as(value, 'ColumnRef');
    if (column !== undefined) readColumn(column, context.scope, context.facts, place);
    else walkField(value, context);
  }
}

/** `ORDER BY 1` and `ORDER BY alias` read the item of the target list that they name. */
function byPosition(keys: readonly unknown[], targets: readonly unknown[], context: Context): void {
  // Each item is walked once, however often it is named.
  const byPlace = new Map<number | string, unknown[]>();
  const put = (key: number | string, value: unknown): unknown => byPlace.get(key)?.push(value) ?? byPlace.set(key, [value]);
  for (const [i, target] of targets.entries()) {
    const fields = as(target, 'ResTarget');
    const name = textOf(fields?.['name']);
    put(i + 1, fields?.['val']);
    if (name !== undefined) put(name, fields?.['val']);
  }
  for (const item of keys) {
    const node = tagged(item);
    if (node === undefined) continue;
    context.visit(node, context);
    const key = node.tag === 'SortBy' ? node.fields['node'] : item;
    const position = constantOf(key);
    const path = listOf(as(key, 'ColumnRef')?.['fields']);
    const place = position?.kind === 'number' ? position.value : path.length === 1 ? stringOf(path[0]) : undefined;
    if (place === undefined) continue;
    walkField(byPlace.get(place), context);
    byPlace.delete(place);
  }
}

/** The context with the names of a WITH. A name is in sight of the queries after it, with RECURSIVE of all. */
function withClause(value: unknown, context: Context): Context {
  const clause = fieldsOf(value);
  if (clause === undefined) return context;
  const ctes = allAs(clause['ctes'], 'CommonTableExpr');
  const frame: CteFrame = { names: new Set(), parent: context.ctes };
  const inside: Context = { ...context, ctes: frame };
  const names = ctes.map((cte) => textOf(cte['ctename']) ?? '');
  if (clause['recursive'] === true) for (const name of names) frame.names.add(name);
  for (const [i, cte] of ctes.entries()) {
    walkField([cte['ctequery']], inside);
    frame.names.add(names[i]!);
  }
  return inside;
}

/** INSERT, UPDATE, DELETE and MERGE. The target is always a table: a CTE of its name doesn't hide it. */
export function walkDml(node: Tagged, outer: Context, place: Place): void {
  const { fields } = node;
  const context = withClause(fields['withClause'], outer);
  const { facts } = context;
  const rangeVar = fieldsOf(fields['relation']) ?? {};
  const name = tableName(rangeVar);
  writeTable(name, facts);
  const target = relation(rangeVar, () => facts.table(name.schema, name.name, 'read'));
  const scope = new Scope(outer.scope);
  scope.add(target);
  const inner: Context = { ...context, scope };
  const table = written(name);
  switch (node.tag) {
    case 'InsertStmt':
      facts.classes.add('postgres.write.insert');
      insertColumns(listOf(fields['cols']), table, context);
      walkField(fields['selectStmt'], context);
      onConflict(fieldsOf(fields['onConflictClause']), table, inner);
      break;
    case 'UpdateStmt':
      facts.classes.add('postgres.write.update');
      for (const item of listOf(fields['fromClause'])) walkFrom(item, scope, inner);
      assignments(listOf(fields['targetList']), table, inner);
      condition(fields['whereClause'], inner);
      break;
    case 'DeleteStmt':
      facts.classes.add('postgres.write.delete');
      for (const item of listOf(fields['usingClause'])) walkFrom(item, scope, inner);
      condition(fields['whereClause'], inner);
      break;
    default:
      merge(fields, table, scope, inner);
  }
  returning(fieldsOf(fields['returningClause']), inner, target, place);
}

function condition(where: unknown, context: Context): void {
  context.facts.where(selectsRows(where));
  walkField([where], context);
}

function insertColumns(columns: readonly unknown[], table: string, context: Context): void {
  if (columns.length === 0) context.facts.column(table, '*', 'write', 'target');
  assignments(columns, table, context);
}

function assignments(targets: readonly unknown[], table: string, context: Context): void {
  for (const target of targets) {
    const fields = as(target, 'ResTarget');
    context.facts.column(table, textOf(fields?.['name']) ?? '*', 'write', 'target');
    walkField([fields?.['indirection'], fields?.['val']], context);
  }
}

function onConflict(clause: Fields | undefined, table: string, context: Context): void {
  if (clause === undefined) return;
  const scope = new Scope(context.scope?.parent ?? null);
  scope.add(...(context.scope?.relations ?? []), { ...derived('excluded'), proposed: true, byNameOnly: true });
  const inner: Context = { ...context, scope };
  const infer = fieldsOf(clause['infer']);
  for (const element of listOf(infer?.['indexElems'])) {
    const column = textOf(as(element, 'IndexElem')?.['name']);
    if (column !== undefined) context.facts.column(table, column, 'read', 'expression');
  }
  walkField([infer?.['indexElems'], infer?.['whereClause'], clause['whereClause']], inner);
  if (clause['action'] === 'ONCONFLICT_UPDATE') context.facts.classes.add('postgres.write.update');
  assignments(listOf(clause['targetList']), table, inner);
}

/**
 * MERGE asks the WHERE question of each UPDATE and DELETE it may do: matched rows are selected by ON or by the branch's own condition,
 * rows that the source doesn't match only by the latter.
 */
function merge(fields: Fields, table: string, scope: Scope, context: Context): void {
  const { facts } = context;
  facts.classes.add('postgres.write.merge');
  walkFrom(fields['sourceRelation'], scope, context);
  const on = fields['joinCondition'];
  walkField([on], context);
  for (const when of allAs(fields['mergeWhenClauses'], 'MergeWhenClause')) {
    walkField([when['condition'], when['values']], context);
    const selects = selectsRows(when['condition']) || (when['matchKind'] === 'MERGE_WHEN_MATCHED' && selectsRows(on));
    switch (when['commandType']) {
      case 'CMD_INSERT':
        facts.classes.add('postgres.write.insert');
        insertColumns(listOf(when['targetList']), table, context);
        break;
      case 'CMD_UPDATE':
        facts.classes.add('postgres.write.update');
        facts.where(selects);
        assignments(listOf(when['targetList']), table, context);
        break;
      case 'CMD_DELETE':
        facts.classes.add('postgres.write.delete');
        facts.where(selects);
        break;
      default: // DO NOTHING
    }
  }
}

function returning(clause: Fields | undefined, context: Context, target: Relation, place: Place): void {
  if (clause === undefined) return;
  const scope = new Scope(context.scope?.parent ?? null);
  // RETURNING old.x, new.x (PostgreSQL 18), and WITH (OLD AS o) under other names.
  const renamed = listOf(clause['options']).flatMap((option) => textOf(as(option, 'ReturningOption')?.['value']) ?? []);
  const versions = [...renamed, 'old', 'new'].map((alias) => ({ ...target, alias, byNameOnly: true }));
  scope.add(...(context.scope?.relations ?? []), ...versions);
  outputs(listOf(clause['exprs']), { ...context, scope }, place);
}
