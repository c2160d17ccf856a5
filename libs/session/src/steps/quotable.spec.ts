import type { Operation, SqlStatement } from '@sallyport/operation';
import { isQuotable } from './quotable.js';

const statement = (more: Partial<SqlStatement>): SqlStatement => ({
  kind: 'update',
  class: 'postgres.write.update',
  tables: [],
  columns: [],
  functions: [],
  hasWhere: true,
  locks: null,
  dynamic: false,
  unresolved: [],
  ...more,
});
const operation = (...statements: SqlStatement[]): Operation => ({
  kind: 'postgres',
  class: 'postgres.write.update',
  classes: ['postgres.write.update'],
  parseable: true,
  fingerprint: '',
  normalized: '',
  statements,
});
const masks = [{ column: 'public.customers.email', with: 'redact' } as const, { column: 'public."Odd.Name"."x"', with: 'null' } as const];
const of = (name: string): SqlStatement => statement({ tables: [{ schema: null, name, access: 'write' }] });

describe('P5: what is recorded does not quote a masked column', () => {
  it('keeps the literals of statements that touch other tables', () => {
    expect(isQuotable(operation(of('stock')), masks)).toBe(true);
    expect(isQuotable(operation(of('customers')), [])).toBe(true);
  });

  it.each([
    ['a table with a masked column, in whatever schema', operation(of('customers'))],
    ['a quoted name', operation(of('Odd.Name'))],
    ['one of several statements', operation(of('stock'), of('customers'))],
    ['dynamic SQL', operation(statement({ dynamic: true }))],
    ['what can not be resolved', operation(statement({ unresolved: ['execute:p'] }))],
    ['what can not be read', { ...operation(), parseable: false }],
  ])('does not keep those of %s', (_, given) => {
    expect(isQuotable(given, masks)).toBe(false);
  });
});
