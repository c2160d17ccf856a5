import type { Facts } from './facts.js';
import { dotted, fieldsOf, listOf, textOf, type Fields } from './tree.js';
import type { Relation } from './scope.js';

export interface TableName {
  readonly schema: string | null;
  readonly name: string;
}

export const tableName = (rangeVar: Fields): TableName => ({
  schema: textOf(rangeVar['schemaname']) ?? null,
  name: textOf(rangeVar['relname']) ?? '',
});
export const written = ({ schema, name }: TableName): string => dotted(schema === null ? [name] : [schema, name]);
export const aliasOf = (fields: Fields): string | null => textOf(fieldsOf(fields['alias'])?.['aliasname']) ?? null;

/** Values of every table's columns, kept as statistics: reading them reads those columns, and nothing says which. */
const STATISTICS = new Set(['pg_statistic', 'pg_stats', 'pg_stats_ext', 'pg_stats_ext_exprs', 'pg_statistic_ext_data']);
const SYSTEM_SCHEMAS = new Set(['pg_catalog', 'information_schema', 'pg_toast']);

/** Without a schema, PostgreSQL looks into pg_catalog first. */
const isSystem = ({ schema, name }: TableName): boolean => (schema === null ? name.startsWith('pg_') : SYSTEM_SCHEMAS.has(schema));

export function readTable(table: TableName, facts: Facts): void {
  facts.table(table.schema, table.name, 'read');
  if (table.schema === 'pg_toast' || (isSystem(table) && STATISTICS.has(table.name))) facts.unresolved.add(`statistics:${written(table)}`);
}

export function writeTable(table: TableName, facts: Facts): void {
  facts.table(table.schema, table.name, 'write');
  if (!isSystem(table)) return;
  facts.classes.add('postgres.server.catalog');
  // An UPDATE of this view sets settings, whichever its WHERE picks.
  if (table.name === 'pg_settings') {
    facts.classes.add('postgres.session.set_parsing');
    facts.unresolved.add('setting:pg_settings');
  }
}

export function relation(rangeVar: Fields, onRead?: () => void): Relation {
  const name = tableName(rangeVar);
  const renamed = listOf(fieldsOf(rangeVar['alias'])?.['colnames']).length > 0;
  return { alias: aliasOf(rangeVar) ?? name.name, table: written(name), renamed, ...(onRead === undefined ? {} : { onRead }) };
}
