export { executedNames, withExecuted } from './executing.js';
export { fromPostgres } from './from-postgres.js';
export type { ColumnUse, Operation, PostgresOperation, SqlStatement, TableUse } from './operation.js';
export { CLASSES, mostDemanding, type PostgresClass } from './sql/classes.js';
export { loadParser } from './sql/engine.js';
export { isBuiltinFunction } from './sql/functions.js';
export {
  type ParsedSql,
  PARSE_LIMITS,
  type ParseLimits,
  parseSql,
  type RawStatement,
  type SqlProblem,
  UnparseableSqlError,
} from './sql/parse.js';
export { type SettingChange, settingChange } from './sql/settings.js';
export { children, type Fields, type Tagged, tagged } from './sql/tree.js';
