import type { PostgresOperation, SqlStatement } from './operation.js';
import { mostDemanding } from './sql/classes.js';

const EXECUTE = 'execute:';

/** The names of prepared statements that an operation runs by SQL (`EXECUTE name`, and inside EXPLAIN ANALYZE and CREATE TABLE AS). */
export const executedNames = (operation: PostgresOperation): string[] =>
  operation.statements.flatMap(({ unresolved }) =>
    unresolved.filter((reason) => reason.startsWith(EXECUTE)).map((reason) => reason.slice(EXECUTE.length)),
  );

/**
 * Puts the facts of prepared statements beside the EXECUTE that runs them. `prepared` has, by name, everything that the name may stand for.
 * A name that isn't there stays unresolved, which is a reason to refuse.
 */
export function withExecuted(operation: PostgresOperation, prepared: ReadonlyMap<string, readonly PostgresOperation[]>): PostgresOperation {
  const known = executedNames(operation).filter((name) => (prepared.get(name)?.length ?? 0) > 0);
  if (known.length === 0) return operation;
  const executed = [...new Set(known)].flatMap((name) => prepared.get(name) ?? []);
  const all = [operation, ...executed];
  const classes = [...new Set(all.flatMap((one) => one.classes))].sort();
  const resolved = (statement: SqlStatement): SqlStatement => ({
    ...statement,
    unresolved: statement.unresolved.filter((reason) => !known.some((name) => reason === EXECUTE + name)),
  });
  return {
    ...operation,
    class: mostDemanding(classes),
    classes,
    fingerprint: all.map((one) => one.fingerprint).join('+'),
    statements: [...operation.statements.map(resolved), ...executed.flatMap((one) => one.statements)],
  };
}
