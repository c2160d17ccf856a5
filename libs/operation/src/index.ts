export type { ColumnUse, Operation, PostgresOperation, SqlStatement, TableUse } from './operation.js';
