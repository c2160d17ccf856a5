import { executedNames, fromPostgres, loadParser, withExecuted } from './index.js';

beforeAll(loadParser);

describe('P2: EXECUTE is what it executes', () => {
  // The parser is loaded only when the tests run.
  const known = () =>
    new Map([
      ['p', [fromPostgres('DELETE FROM t')]],
      ['q', [fromPostgres('SELECT 1'), fromPostgres('UPDATE t SET a = 1 WHERE id = 1')]],
    ]);

  it('takes the facts of the prepared statement', () => {
    const operation = withExecuted(fromPostgres('EXECUTE p'), known());
    expect(operation.class).toBe('postgres.write.delete');
    expect(operation.classes).toEqual(['postgres.session.execute', 'postgres.write.delete']);
    expect(operation.statements.map(({ kind, hasWhere, unresolved }) => [kind, hasWhere, unresolved])).toEqual([
      ['execute', null, []],
      ['delete', false, []],
    ]);
  });

  it.each(['EXPLAIN ANALYZE EXECUTE p', 'CREATE TABLE x AS EXECUTE p', 'SELECT 1; EXECUTE p'])('wherever it stands: %s', (sql) => {
    expect(executedNames(fromPostgres(sql))).toEqual(['p']);
    const operation = withExecuted(fromPostgres(sql), known());
    expect(operation.classes).toContain('postgres.write.delete');
    expect(operation.statements.flatMap(({ unresolved }) => unresolved)).toEqual([]);
  });

  it('takes everything that a name may stand for', () => {
    expect(withExecuted(fromPostgres('EXECUTE q'), known()).classes).toEqual([
      'postgres.read',
      'postgres.session.execute',
      'postgres.write.update',
    ]);
  });

  it('leaves a name unresolved that nobody knows', () => {
    const operation = withExecuted(fromPostgres('EXECUTE p; EXECUTE unknown'), known());
    expect(operation.statements.flatMap(({ unresolved }) => unresolved)).toEqual(['execute:unknown']);
    expect(withExecuted(fromPostgres('EXECUTE unknown'), known()).class).toBe('postgres.session.execute');
  });
});
