import type { ColumnUse } from '../operation.js';
import type { Facts } from './facts.js';
import type { Relation, Scope } from './scope.js';
import { dotted, listOf, stringOf, tagged, type Fields } from './tree.js';

/** Records what a ColumnRef reads. Where the tree can't tell the table, it says null and never guesses. */
export function readColumn(fields: Fields, scope: Scope | null, facts: Facts, place: ColumnUse['place']): void {
  const parts = listOf(fields['fields']);
  const star = tagged(parts.at(-1))?.tag === 'A_Star';
  const names = parts.flatMap((part) => stringOf(part) ?? []);
  scope?.read();
  if (star && names.length === 0) return readStar(scope, facts, place);
  if (star) return readWhole(relationOf(names, scope), names, facts, place);
  const name = names.at(-1) ?? '*';
  if (names.length > 1) return readQualified(relationOf(names.slice(0, -1), scope), names.slice(0, -1), name, facts, place);
  // `SELECT c FROM customers c` is the whole row, unless there is a column of that name.
  const row = scope?.byAlias(name);
  if (row !== undefined) readWhole(row, [name], facts, 'expression');
  const only = scope?.only();
  for (const table of scope?.renamedTables() ?? []) facts.column(table, '*', 'read', 'expression');
  facts.column(only === undefined || only.renamed ? null : only.table, name, 'read', place);
}

function relationOf(qualifier: readonly string[], scope: Scope | null): Relation | undefined {
  const name = qualifier.at(-1)!;
  return qualifier.length === 1 ? scope?.byAlias(name) : scope?.byTable(qualifier.at(-2)!, name);
}

/** `SELECT *`: every relation of this level, through joins and under hidden aliases. */
function readStar(scope: Scope | null, facts: Facts, place: ColumnUse['place']): void {
  if (scope === null || scope.size === 0) facts.column(null, '*', 'read', place);
  for (const relation of scope?.star(place) ?? []) facts.column(relation.table, '*', 'read', place);
}

function readWhole(relation: Relation | undefined, qualifier: readonly string[], facts: Facts, place: ColumnUse['place']): void {
  if (relation?.proposed === true) return;
  facts.column(relation === undefined && qualifier.length > 1 ? dotted(qualifier) : (relation?.table ?? null), '*', 'read', place);
}

function readQualified(
  relation: Relation | undefined,
  qualifier: readonly string[],
  name: string,
  facts: Facts,
  place: ColumnUse['place'],
): void {
  if (relation?.proposed === true) return;
  if (relation?.renamed === true) {
    if (relation.table !== null) facts.column(relation.table, '*', 'read', 'expression');
    facts.column(null, name, 'read', place);
    return;
  }
  facts.column(relation === undefined && qualifier.length > 1 ? dotted(qualifier) : (relation?.table ?? null), name, 'read', place);
}
