import { fromPostgres, loadParser } from '@sallyport/operation';
import { copiesOf, effectOf, fetchFrom, type Prepared, Statements, together, withPortals, withPrepared } from './statements.js';

beforeAll(() => loadParser());

const prepared = (sql: string): Prepared => ({ operation: fromPostgres(sql), text: sql, parameterTypes: [] });
const none = (): readonly Prepared[] => [];

describe('what a name stands for is judged with it', () => {
  it('P2: EXECUTE has the facts of everything that may run', () => {
    const all = [prepared('SELECT 1'), prepared('DELETE FROM stock')];
    const operation = withPrepared(fromPostgres('EXECUTE p'), (name) => (name === 'p' ? all : []));
    expect(operation.class).toBe('postgres.write.delete');
    expect(operation.classes).toContain('postgres.read');
    expect(operation.statements.flatMap(({ unresolved }) => unresolved)).toEqual([]);
  });

  it('P2: an EXECUTE of what nobody knows stays unresolved', () => {
    const operation = withPrepared(fromPostgres('EXECUTE p'), none);
    expect(operation.statements.flatMap(({ unresolved }) => unresolved)).toEqual(['execute:p']);
  });

  it('P2: EXECUTE in the string that prepares it', () => {
    const operation = withPrepared(fromPostgres('PREPARE p AS DELETE FROM stock; EXECUTE p'), none);
    expect(operation.statements.flatMap(({ unresolved }) => unresolved)).toEqual([]);
    expect(operation.class).toBe('postgres.write.delete');
  });

  it.each(['FETCH ALL FROM c', 'MOVE 1 IN c'])('P1: %s of a portal is what was bound to it', (sql) => {
    const operation = withPortals(fromPostgres(sql), (name) =>
      name === 'c' ? [prepared('INSERT INTO stock VALUES (1) RETURNING *')] : [],
    );
    expect(operation.class).toBe('postgres.write.insert');
    expect(effectOf(operation)).toBe('write');
  });

  it('an operation that needs nobody else is the same object, so that what is known of it is found again', () => {
    const operation = fromPostgres('SELECT 1');
    expect(withPrepared(operation, none)).toBe(operation);
    expect(withPortals(operation, none)).toBe(operation);
    expect(together(operation, [])).toBe(operation);
    const statements = new Statements({ maxParsedBytes: 1000 }, 1 << 20);
    expect(statements.of('SELECT 1')).toBe(statements.of('SELECT 1'));
  });
});

describe('effectOf', () => {
  it.each([
    ['SELECT 1', 'read'],
    ['BEGIN', 'read'],
    ['SET work_mem = 1000', 'read'],
    ["SELECT nextval('s')", 'write'],
    ["SELECT pg_notify('a', 'b')", 'write'],
    ['NOTIFY a', 'write'],
    ['SELECT 1 FOR UPDATE', 'write'],
    ['WITH x AS (DELETE FROM stock WHERE id = 1 RETURNING 1) SELECT * FROM x', 'write'],
    ['EXPLAIN ANALYZE DELETE FROM stock WHERE id = 1', 'write'],
    ['selec', 'write'],
  ])('P1: %s is a %s', (sql, effect) => {
    expect(effectOf(fromPostgres(sql))).toBe(effect);
  });
});

it('copiesOf counts what brings copy mode', () => {
  expect(copiesOf(fromPostgres('COPY a FROM STDIN; COPY b TO STDOUT; COPY (SELECT 1) TO STDOUT; SELECT 1'))).toEqual({ in: 1, out: 2 });
});

it('a portal’s name is quoted', () => {
  expect(fetchFrom('a"; DROP TABLE stock --')).toBe('FETCH ALL FROM "a""; DROP TABLE stock --"');
});
