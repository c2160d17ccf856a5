import { loadParser, parseSql } from '@sallyport/operation';

import { declaredTypes, innerStatement } from './inner-statement.js';
import { eachStatement, tagOf } from './raw-tree.js';
import { isConstantSelect, shapeOfStatement } from './statements.js';

beforeAll(() => loadParser());

const names = new Set(['customers']);
const only = (text: string) => {
  const [statement] = eachStatement(parseSql(text));
  if (!statement) throw new Error('no statement');
  return statement;
};
const shape = (text: string) => shapeOfStatement(only(text).node, names);

describe('eachStatement', () => {
  it('cuts a string into its statements, in characters, without comments and semicolons around them', () => {
    const text = ` /* ä; */ SELECT 'ö;€' ; ; -- x;\n INSERT INTO t VALUES (';') ;;SELECT 3 -- end`;
    expect(eachStatement(parseSql(text)).map((one) => one.text)).toEqual([`SELECT 'ö;€'`, `INSERT INTO t VALUES (';')`, 'SELECT 3']);
  });
});

describe('innerStatement', () => {
  it.each([
    ['EXPLAIN (ANALYZE, BUFFERS) SELECT 1', 'query', 'SELECT 1'],
    ['EXPLAIN VERBOSE WITH x AS (SELECT 1) SELECT * FROM x', 'query', 'WITH x AS (SELECT 1) SELECT * FROM x'],
    ['PREPARE p (int, numeric(3, 2)) AS SELECT $1', 'query', 'SELECT $1'],
    ['DECLARE "select" CURSOR WITH HOLD FOR (SELECT 1) UNION (SELECT 2)', 'query', '(SELECT 1) UNION (SELECT 2)'],
    ['COPY (SELECT (1)) TO STDOUT (FORMAT csv)', 'query', 'SELECT (1)'],
    ['CREATE TABLE t AS SELECT 1 WITH NO DATA', 'query', 'SELECT 1'],
    ['CREATE VIEW v (a) AS TABLE x WITH CHECK OPTION', 'query', 'TABLE x'],
  ])('finds it in %s', (text, field, inner) => {
    expect(innerStatement(text, tagOf(only(text).node)?.[1][field])?.text.trim()).toBe(inner);
  });

  it('finds the types of a PREPARE', () => {
    const text = 'PREPARE "p(" (int, numeric(3, 2), text[]) AS SELECT $1, (2)';
    expect(declaredTypes(text, only(text).node, 'SELECT $1, (2)')).toBe('(int, numeric(3, 2), text[])');
  });
});

describe('shapeOfStatement', () => {
  it.each([
    'CREATE FUNCTION f() RETURNS int LANGUAGE sql AS $$SELECT 1$$',
    'DO $$BEGIN END$$',
    'CALL p()',
    'LISTEN c',
    'SELECT 1 INTO t',
    'CREATE TRIGGER t BEFORE INSERT ON orders EXECUTE FUNCTION f()',
    'CREATE DOMAIN d AS text',
    'CREATE EXTENSION dblink',
    'LOAD $$x$$',
    'ALTER TABLE customers ADD x int',
    'ALTER TABLE orders ADD x int DEFAULT leak()',
    'CREATE TABLE t () INHERITS (customers)',
    'CREATE TABLE t (LIKE customers)',
    'CREATE TABLE t (e text REFERENCES customers (email))',
    'CREATE INDEX ON customers (email)',
    'CREATE INDEX ON orders (leak(id))',
    'CREATE TABLE t (a text DEFAULT (1 ##? 1))',
    'ALTER SCHEMA public RENAME TO p',
    'ALTER VIEW customers RENAME TO x',
    'ALTER TABLE customers SET SCHEMA other',
    'ALTER FUNCTION f() RENAME TO g',
    'CREATE SCHEMA s CREATE VIEW v AS SELECT 1',
    'SET ROLE x',
    'SET SESSION AUTHORIZATION x',
    `SET client_encoding = 'latin1'`,
    `SET NAMES 'sjis'`,
    'SET standard_conforming_strings = off',
    'COPY orders FROM STDIN WHERE leak(id)',
    'GRANT SELECT ON customers TO x',
    'SECURITY LABEL ON TABLE orders IS $$x$$',
    'ALTER SYSTEM SET x = 1',
    'IMPORT FOREIGN SCHEMA a FROM SERVER b INTO c',
  ])('P5: refuses %s', (text) => expect(shape(text).is).toBe('refuse'));

  it.each([
    ['BEGIN', false],
    ['COMMIT', true],
    ['ROLLBACK', true],
    ['SET search_path = a', true],
    ['SET work_mem = 1', false],
    ['RESET ALL', true],
    ['DISCARD ALL', true],
    ['DROP TABLE customers', true],
    ['CREATE TABLE t (id int DEFAULT 1, at timestamptz DEFAULT now())', true],
    ['ALTER TABLE orders RENAME TO o', true],
    ['TRUNCATE customers', false],
    ['COPY customers FROM STDIN', false],
    [`SET client_encoding = 'UTF8'`, false],
  ])('%s needs no analysis; it moves names: %s', (text, shifts) => expect(shape(text)).toEqual({ is: 'utility', shifts }));

  it('sees a COPY of a table as the SELECT that it is', () => {
    expect(shape('COPY "a b"."c""d" (x, "Y") TO STDOUT')).toMatchObject({ select: 'SELECT "x", "Y" FROM "a b"."c""d"' });
  });

  it('knows a SELECT that needs no table', () => {
    expect(['SELECT 1', 'SELECT now(), $1', 'SELECT current_user'].every((text) => isConstantSelect(only(text).node))).toBe(true);
    for (const text of [
      'SELECT leak()',
      'SELECT (SELECT 1)',
      'SELECT 1 FROM t',
      'SELECT 1 UNION SELECT 2',
      'WITH x AS (SELECT 1) SELECT 2',
      'SELECT 1 ##? 1',
    ]) {
      expect(isConstantSelect(only(text).node)).toBe(false);
    }
  });
});
