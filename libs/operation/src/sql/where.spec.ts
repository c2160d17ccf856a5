import { fromPostgres, loadParser } from '../index.js';

beforeAll(loadParser);

const hasWhere = (sql: string) => fromPostgres(sql).statements[0]?.hasWhere;

describe('conditions that keep every row count as none', () => {
  it.each([
    'true',
    '1 = 1',
    "'a' = 'a'",
    "'t'",
    "'on'::boolean",
    "CAST('yes' AS bool)",
    'NOT false',
    'NOT NOT true',
    'id = 1 OR true',
    'id = 1 OR 1 = 1',
    'id = 1 OR (2 > 1 AND true)',
    'true AND 1 = 1',
    'NOT (1 = 2)',
    '1 <> 2',
    '1 < 2',
    '2.5 >= 2.5',
    'NULL IS NULL',
    '1 IS NOT NULL',
    'true IS TRUE',
    'false IS NOT TRUE',
    'id = id',
    't.id = t.id',
    'id >= id',
    'NOT (id <> id)',
    'id IS NOT DISTINCT FROM id',
    'name LIKE name',
    'id IN (1, id)',
    'id IS NULL OR id IS NOT NULL',
    'deleted OR NOT deleted',
    '$1',
    '$1 = $2',
    'now() > $1',
    'random() >= 0',
    "length('a') = 1",
    'current_user = session_user',
    '1 IN (1, 2)',
    '1 BETWEEN 0 AND 2',
    'EXISTS (SELECT 1)',
    '(SELECT true)',
    'coalesce(true, false)',
    'CASE WHEN true THEN true END',
    'id = 1 OR $1',
    'id = 1 OR random() < 2',
  ])('%s', (condition) => {
    expect(hasWhere(`DELETE FROM t WHERE ${condition}`)).toBe(false);
    expect(hasWhere(`UPDATE t SET a = 1 WHERE ${condition}`)).toBe(false);
  });
});

describe('conditions that select', () => {
  it.each([
    'id = 1',
    'id = $1 AND true',
    'id = 1 OR false',
    'id = 1 AND $1',
    'NOT (id = 1)',
    'name LIKE $1',
    'deleted',
    'id IN (1, 2)',
    'id IS NULL',
    'deleted IS TRUE',
    'id = ANY ($1)',
    'EXISTS (SELECT 1 FROM u WHERE u.id = t.id)',
    'CURRENT OF c',
    'false',
    '1 = 2',
    'NULL',
  ])('%s', (condition) => {
    expect(hasWhere(`DELETE FROM t WHERE ${condition}`)).toBe(true);
  });
});

describe('hasWhere looks everywhere a write can hide', () => {
  it.each([
    ['DELETE FROM t', false],
    ['UPDATE t SET a = 1', false],
    ['WITH x AS (DELETE FROM t RETURNING *) SELECT * FROM x', false],
    ['WITH x AS (DELETE FROM t RETURNING *) DELETE FROM u WHERE id = 1', false],
    ['WITH x AS (DELETE FROM t WHERE id = 1 RETURNING *) DELETE FROM u', false],
    ['WITH x AS (DELETE FROM t WHERE id = 1 RETURNING *) UPDATE u SET a = 1 WHERE id = 2', true],
    ['EXPLAIN ANALYZE DELETE FROM t', false],
    ['EXPLAIN (ANALYZE) WITH x AS (UPDATE t SET a = 1 RETURNING *) SELECT * FROM x', false],
    ['PREPARE p AS DELETE FROM t', false],
    ['COPY (DELETE FROM t RETURNING *) TO STDOUT', false],
    ['CREATE RULE r AS ON INSERT TO t DO DELETE FROM u', false],
    ['CREATE FUNCTION f() RETURNS void BEGIN ATOMIC DELETE FROM t; END', false],
    ['INSERT INTO u WITH x AS (SELECT 1) SELECT * FROM x', null],
    ['SELECT 1', null],
    ['EXPLAIN DELETE FROM t', null],
    ['INSERT INTO t VALUES (1) ON CONFLICT (id) DO UPDATE SET a = 1', null],
    ['TRUNCATE t', null],
    ['MERGE INTO t USING u ON t.id = u.id WHEN MATCHED THEN DELETE', true],
    ['MERGE INTO t USING u ON true WHEN MATCHED THEN DELETE', false],
    ['MERGE INTO t USING u ON true WHEN MATCHED AND t.id = 1 THEN DELETE', true],
    ['MERGE INTO t USING u ON 1 = 1 WHEN MATCHED AND true THEN UPDATE SET a = 1', false],
    ['MERGE INTO t USING u ON t.id = u.id WHEN NOT MATCHED BY SOURCE THEN DELETE', false],
    ['MERGE INTO t USING u ON t.id = u.id WHEN NOT MATCHED BY SOURCE AND t.old THEN DELETE', true],
    ['MERGE INTO t USING u ON t.id = u.id WHEN NOT MATCHED THEN INSERT VALUES (1)', null],
  ])('%s: %s', (sql, expected) => {
    expect(hasWhere(sql)).toBe(expected);
  });
});
