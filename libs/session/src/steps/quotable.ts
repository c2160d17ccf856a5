import type { Operation } from '@sallyport/operation';
import type { MaskRule } from '@sallyport/verdict';

/**
 * Whether a statement may be kept with its literals and parameters. One that touches a table with a masked column, or whose reach
 * can't be told, may quote such values: then only its shape is kept (P5).
 */
export function isQuotable(operation: Operation, masks: readonly MaskRule[]): boolean {
  if (masks.length === 0) return true;
  if (!operation.parseable) return false;
  const masked = new Set(masks.map(({ column }) => tableOf(column)));
  return operation.statements.every(
    ({ tables, dynamic, unresolved }) => !dynamic && unresolved.length === 0 && tables.every(({ name }) => !masked.has(name)),
  );
}

/** `customers` of `public.customers.email`; quotes are not part of a name. */
function tableOf(column: string): string {
  const parts = column.match(/"(?:[^"]|"")*"|[^."]+/g) ?? [];
  const table = parts.at(-2) ?? '';
  return table.startsWith('"') ? table.slice(1, -1).replaceAll('""', '"') : table;
}
