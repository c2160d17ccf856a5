import { fromPostgres, loadParser } from './index.js';

beforeAll(loadParser);

const judge = (sql: string) => {
  const operation = fromPostgres(sql);
  return {
    operation,
    unresolved: operation.statements.flatMap(({ unresolved }) => unresolved),
    dynamic: operation.statements.some(({ dynamic }) => dynamic),
  };
};

describe('P2: a write dressed as a read is judged as the write', () => {
  it.each([
    ['in a CTE nobody reads', 'WITH x AS (DELETE FROM t) SELECT 1', 'postgres.write.delete'],
    ['in a CTE of a CTE', 'WITH x AS (WITH y AS (DELETE FROM t RETURNING *) SELECT * FROM y) SELECT 1', 'postgres.write.delete'],
    ['in a CTE of an insert', 'INSERT INTO a WITH x AS (SELECT 1) SELECT * FROM x', 'postgres.write.insert'],
    ['behind EXPLAIN ANALYZE', 'EXPLAIN (COSTS, ANALYZE 1) UPDATE t SET a = 1', 'postgres.write.update'],
    ['behind quoted "analyze"', 'EXPLAIN ("analyze" TRUE) DELETE FROM t', 'postgres.write.delete'],
    ['behind COPY', 'COPY (INSERT INTO t VALUES (1) RETURNING *) TO STDOUT', 'postgres.write.insert'],
    ['behind PREPARE', 'PREPARE x AS DELETE FROM t', 'postgres.write.delete'],
    ['as SELECT INTO', 'SELECT 1 AS a INTO TEMP x', 'postgres.write.into'],
    ['as SELECT INTO in a union', 'SELECT 1 INTO x UNION SELECT 2', 'postgres.write.into'],
    ['as EXPLAIN ANALYZE of CREATE TABLE AS', 'EXPLAIN ANALYZE CREATE TABLE x AS SELECT 1', 'postgres.ddl.create'],
    ['as a row lock deep inside', 'SELECT * FROM (SELECT * FROM (SELECT * FROM t FOR SHARE) a) b', 'postgres.write.lock'],
    ['as the second statement', 'SELECT 1; DELETE FROM t', 'postgres.write.delete'],
    ['after a comment that looks like the end', "SELECT 1 /* ; */; DELETE FROM t -- ' ", 'postgres.write.delete'],
    ['after a literal that looks open', "SELECT 'it''s'; DELETE FROM t; SELECT ''", 'postgres.write.delete'],
    ['after a dollar quote in a dollar quote', 'SELECT $a$ $b$ $a$; DELETE FROM t; SELECT $b$ $b$', 'postgres.write.delete'],
    ['after nested comments', 'SELECT 1 /* /* */ ; SELECT */; DELETE FROM t', 'postgres.write.delete'],
    ['in Unicode escapes', 'DELETE FROM U&"\\0074"', 'postgres.write.delete'],
    ['in odd case and spacing', 'dElEtE\n\t/**/fRoM"t"', 'postgres.write.delete'],
  ])('%s', (_name, sql, expected) => {
    expect(judge(sql).operation.classes).toContain(expected);
  });
});

describe('P2: a call that does more than compute is not a read', () => {
  it.each([
    ['in FROM', 'SELECT * FROM pg_read_file($1)', 'postgres.server.function'],
    ['in WHERE', 'SELECT 1 FROM t WHERE pg_terminate_backend(pid)', 'postgres.server.function'],
    ['in ORDER BY', 'SELECT 1 ORDER BY pg_reload_conf()', 'postgres.server.function'],
    ['in LIMIT', 'SELECT 1 LIMIT length(pg_read_file($1))', 'postgres.server.function'],
    ['in VALUES', 'VALUES (pg_ls_dir($1))', 'postgres.server.function'],
    ['in a FILTER', 'SELECT count(*) FILTER (WHERE pg_reload_conf())', 'postgres.server.function'],
    ['in a window', 'SELECT count(*) OVER (ORDER BY pg_reload_conf())', 'postgres.server.function'],
    ['in a join condition', 'SELECT 1 FROM a JOIN b ON pg_reload_conf()', 'postgres.server.function'],
    ['in an argument', 'SELECT lower(pg_read_file($1))', 'postgres.server.function'],
    ['in a CASE', 'SELECT CASE WHEN true THEN lo_export(1, $1) END', 'postgres.server.function'],
    ['in RETURNING', 'INSERT INTO t VALUES (1) RETURNING pg_read_file($1)', 'postgres.server.function'],
    ['in a parameter of EXECUTE', 'EXECUTE p (pg_read_file($1))', 'postgres.server.function'],
    ['in a parameter of CALL', 'CALL p(pg_read_file($1))', 'postgres.server.function'],
    ['in JSON_OBJECT', "SELECT json_object('a' : pg_read_file($1))", 'postgres.server.function'],
    ['in JSON_ARRAYAGG', 'SELECT json_arrayagg(pg_read_file($1))', 'postgres.server.function'],
    ['in XMLELEMENT', 'SELECT xmlelement(name x, pg_read_file($1))', 'postgres.server.function'],
    ['in JSON_TABLE', "SELECT * FROM json_table(pg_read_file($1)::jsonb, '$' COLUMNS (a int))", 'postgres.server.function'],
    ['in XMLTABLE', "SELECT * FROM xmltable('/r' PASSING (pg_read_file($1)::xml) COLUMNS a int)", 'postgres.server.function'],
    ['in TABLESAMPLE', 'SELECT * FROM t TABLESAMPLE system (length(pg_read_file($1)))', 'postgres.server.function'],
    ['in a GROUPING SET', 'SELECT 1 FROM t GROUP BY ROLLUP (pg_read_file($1))', 'postgres.server.function'],
    ['in an array subscript', 'SELECT a[length(pg_read_file($1))] FROM t', 'postgres.server.function'],
    ['in a default', 'CREATE TABLE t (a text DEFAULT pg_read_file($$x$$))', 'postgres.server.function'],
    ['in USING of ALTER TYPE', 'ALTER TABLE t ALTER a TYPE text USING pg_read_file(a)', 'postgres.server.function'],
    ['in a partition bound', "CREATE TABLE p PARTITION OF t FOR VALUES IN (pg_read_file('x'))", 'postgres.server.function'],
    ['in an index', 'CREATE INDEX i ON t (my_function(a))', 'postgres.write.call'],
    ['in COPY … WHERE', 'COPY t FROM STDIN WHERE pg_reload_conf()', 'postgres.server.function'],
    ['in ON CONFLICT', 'INSERT INTO t VALUES (1) ON CONFLICT (a) DO UPDATE SET a = pg_read_file($1)', 'postgres.server.function'],
    ['in MERGE', 'MERGE INTO t USING u ON true WHEN MATCHED AND pg_reload_conf() THEN DO NOTHING', 'postgres.server.function'],
    ['quoted', 'SELECT "pg_read_file"($1)', 'postgres.server.function'],
    ['in Unicode escapes', 'SELECT U&"pg\\005fread\\005ffile"($1)', 'postgres.server.function'],
    ['with its schema', 'SELECT pg_catalog.pg_read_file($1)', 'postgres.server.function'],
    ['with its database and schema', 'SELECT d.pg_catalog.pg_read_file($1)', 'postgres.server.function'],
    ['a built-in name under another schema', 'SELECT evil.lower($1)', 'postgres.write.call'],
    ['a name in upper case, quoted', 'SELECT "LOWER"($1)', 'postgres.write.call'],
    ['a tablesample method of somebody', 'SELECT * FROM t TABLESAMPLE evil (1)', 'postgres.write.call'],
    ['an operator of somebody', 'SELECT a OPERATOR(evil.=) b FROM t', 'postgres.write.call'],
    ['an operator nobody knows', 'SELECT a <=> b FROM t', 'postgres.write.call'],
    ['an operator in ORDER BY USING', 'SELECT a FROM t ORDER BY a USING OPERATOR(evil.<)', 'postgres.write.call'],
    ['an operator in ANY', 'SELECT 1 WHERE a OPERATOR(evil.=) ANY (SELECT 1)', 'postgres.write.call'],
    ['an operator in IN with rows', 'SELECT 1 WHERE (a, b) OPERATOR(evil.=) (SELECT 1, 2)', 'postgres.write.call'],
    ['SQL in a string', "SELECT query_to_xml('DROP TABLE t', true, true, '')", 'postgres.dynamic.function'],
    ['a table in a string', "SELECT table_to_xml('secrets'::regclass, true, true, '')", 'postgres.dynamic.function'],
    ['a cursor in a string', "SELECT cursor_to_xml('c', 1, true, true, '')", 'postgres.dynamic.function'],
    ['SQL in a text-search string', "SELECT ts_rewrite('a'::tsquery, 'SELECT t, s FROM x')", 'postgres.dynamic.function'],
    ['another server', "SELECT dblink_connect('host=evil')", 'postgres.dynamic.function'],
    ['a sequence', "SELECT nextval('s')", 'postgres.write.call'],
    ['CALL of what SELECT may not', "CALL pg_catalog.pg_read_file('x')", 'postgres.server.function'],
  ])('%s', (_name, sql, expected) => {
    const { operation } = judge(sql);
    expect(operation.problem).toBeUndefined();
    expect(operation.classes).toContain(expected);
  });

  it('P5: SQL in strings is said to be dynamic', () => {
    for (const sql of ["SELECT query_to_xml('x', true, true, '')", 'DO $$x$$', "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'x'"]) {
      expect(judge(sql).dynamic).toBe(true);
    }
    expect(judge('SELECT lower(a) FROM t').dynamic).toBe(false);
  });
});

describe('P2: settings under other names', () => {
  it.each([
    ['set_config for SET ROLE', "SELECT set_config('role', 'postgres', false)", 'postgres.privilege.set_role'],
    ['set_config in odd case', "SELECT set_config('RoLe', 'postgres', false)", 'postgres.privilege.set_role'],
    ['set_config with a cast', "SELECT set_config('role'::text, 'postgres', false)", 'postgres.privilege.set_role'],
    [
      'set_config with named arguments in odd order',
      "SELECT set_config(is_local => true, new_value => 'x', setting_name => 'role')",
      'postgres.privilege.set_role',
    ],
    [
      'set_config with old-style named arguments',
      "SELECT set_config(setting_name := 'session_authorization', new_value := 'x', is_local := true)",
      'postgres.privilege.session_authorization',
    ],
    ['set_config in a CTE', "WITH x AS (SELECT pg_catalog.set_config('role', 'x', true)) SELECT 1", 'postgres.privilege.set_role'],
    ['quoted SET in odd case', 'SET "Role" TO postgres', 'postgres.privilege.set_role'],
    ['quoted parsing setting', 'SET "Standard_Conforming_Strings" TO off', 'postgres.session.set_parsing'],
    ['set_config for parsing', "SELECT set_config('standard_conforming_strings', 'off', false)", 'postgres.session.set_parsing'],
    ['set_config for encoding with a parameter', "SELECT set_config('client_encoding', $1, false)", 'postgres.session.set_parsing'],
    ['SET LOCAL', 'SET LOCAL standard_conforming_strings = off', 'postgres.session.set_parsing'],
    ['off by another spelling', 'SET standard_conforming_strings = 0', 'postgres.session.set_parsing'],
    ['off by prefix', "SET standard_conforming_strings = 'fa'", 'postgres.session.set_parsing'],
    ['encoding with a hyphen', "SET client_encoding = 'EUC_JIS_2004'", 'postgres.session.set_parsing'],
    [
      'UPDATE of pg_settings',
      "UPDATE pg_settings SET setting = 'off' WHERE name = 'standard_conforming_strings'",
      'postgres.session.set_parsing',
    ],
    ['the search path by set_config', "SELECT set_config('search_path', 'evil', false)", 'postgres.session.set_path'],
  ])('%s', (_name, sql, expected) => {
    expect(judge(sql).operation.classes).toContain(expected);
  });

  it.each([
    ['from a parameter', "SELECT set_config($1, 'x', false)"],
    ['from a column', "SELECT set_config(n, v, false) FROM (VALUES ('role', 'postgres')) AS x(n, v)"],
    ['from an expression', "SELECT set_config('ro' || 'le', 'postgres', false)"],
    ['from a subquery', "SELECT set_config((SELECT 'role'), 'postgres', false)"],
  ])('P2: a setting whose name comes %s could be any: unresolved, and judged as the worst', (_name, sql) => {
    const { operation, unresolved } = judge(sql);
    expect(unresolved).toContain('setting:set_config');
    expect(operation.class).toBe('postgres.session.set_parsing');
  });

  it.each([
    ['SET search_path = evil, pg_catalog', ['setting:search_path']],
    ['SET search_path = \'evil\', "pg_catalog"', ['setting:search_path']],
    ["SELECT set_config('search_path', 'evil, pg_catalog', false)", ['setting:search_path']],
    ["SELECT set_config('search_path', $1, false)", ['setting:search_path']],
    ['SET search_path = pg_catalog, app', []],
    ['SET search_path = app', []],
    ["SELECT pg_catalog.set_config('search_path', '', false)", []],
  ])('P2: a path on which built-ins can be shadowed is unresolved: %s', (sql, expected) => {
    const { operation, unresolved } = judge(sql);
    expect(operation.class).toBe('postgres.session.set_path');
    expect(unresolved).toEqual(expected);
  });
});

describe('P2: what we cannot read as the server does is not read at all', () => {
  it.each([
    ['a NUL that hides the rest', 'SELECT 1\0; DELETE FROM t', 'nul'],
    ['a NUL at the end', 'SELECT 1\0', 'nul'],
    ['half a surrogate pair', "SELECT '\ud800'", 'not_unicode'],
    ['a statement too long', `SELECT '${'x'.repeat(300_000)}'`, 'too_long'],
    ['too many comments', `${'/**/'.repeat(201)}SELECT 1`, 'too_many_comments'],
    ['comments too deep', `${'/*'.repeat(201)}${'*/'.repeat(201)}SELECT 1`, 'too_many_comments'],
    // The server joins these two strings, libpg_query doesn't: it would see a statement where the server sees text, and the reverse.
    ['a string that goes on behind a comment', "DO E'a' -- x\n '\\' LANGUAGE x '; DELETE FROM t; --'", 'split_string'],
    ['a plain string that goes on behind comments', "SELECT 'a'-- x\n -- y\n\n'b'", 'split_string'],
    ['a statement too long in bytes alone', `SELECT '${'ü'.repeat(140_000)}'`, 'too_long'],
  ])('%s', (_name, sql, problem) => {
    const { operation } = judge(sql);
    expect(operation).toMatchObject({ class: 'postgres.unparseable', parseable: false, statements: [] });
    expect(operation.problem).toMatch(new RegExp(`^${problem}: `));
  });

  it('P2: a table that only looks like a CTE is a table', () => {
    const read = (sql: string) => fromPostgres(sql).statements[0]!.tables.map(({ schema, name }) => [schema, name]);
    expect(read('WITH secrets AS (SELECT 1) SELECT * FROM public.secrets')).toEqual([['public', 'secrets']]);
    expect(read('WITH x AS (SELECT * FROM secrets), secrets AS (SELECT 1) SELECT * FROM x')).toEqual([[null, 'secrets']]);
    expect(read('WITH "Secrets" AS (SELECT 1) SELECT * FROM secrets')).toEqual([[null, 'secrets']]);
    expect(read('SELECT * FROM (WITH secrets AS (SELECT 1) SELECT 1) s, secrets')).toEqual([[null, 'secrets']]);
  });

  it('names that mean something to JavaScript are names like others', () => {
    for (const name of ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty']) {
      const sql = `SELECT "${name}"."${name}", "${name}"(1) FROM "${name}"`;
      const { operation } = judge(sql);
      expect(operation.class).toBe('postgres.write.call');
      expect(operation.statements[0]).toMatchObject({ functions: [name], tables: [{ schema: null, name, access: 'read' }] });
    }
  });
});
