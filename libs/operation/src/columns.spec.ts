import { fromPostgres, loadParser } from './index.js';

beforeAll(loadParser);

/** `table.column:place`, sorted; `=` before those that are written. */
const columns = (sql: string): string[] =>
  fromPostgres(sql)
    .statements.flatMap((statement) => statement.columns)
    .map(({ table, name, access, place }) => `${access === 'write' ? '=' : ''}${table ?? '?'}.${name}:${place}`)
    .sort();

describe('columns: place and table', () => {
  it.each<[string, string[]]>([
    ['SELECT email FROM customers', ['customers.email:output']],
    ['SELECT c.email AS x FROM customers c', ['customers.email:output']],
    ['SELECT customers.email FROM s.customers', ['s.customers.email:output']],
    ['SELECT s.customers.email FROM s.customers', ['s.customers.email:output']],
    ['SELECT * FROM customers', ['customers.*:output']],
    ['SELECT * FROM a JOIN b ON a.id = b.id', ['a.*:output', 'a.id:expression', 'b.*:output', 'b.id:expression']],
    ['SELECT a.* FROM a, b', ['a.*:output']],
    ['SELECT email FROM a, b', ['?.email:output']],
    ['SELECT lower(email) FROM customers', ['customers.email:expression']],
    ["SELECT email || '' FROM customers", ['customers.email:expression']],
    ['SELECT email::text FROM customers', ['customers.email:expression']],
    ['SELECT (email) FROM customers', ['customers.email:output']],
    ['SELECT email COLLATE "C" FROM customers', ['customers.email:expression']],
    ['SELECT c FROM customers c', ['customers.*:expression', 'customers.c:output']],
    ['SELECT (c).email FROM customers c', ['customers.*:expression', 'customers.c:expression']],
    ['SELECT (c).* FROM customers c', ['customers.*:expression', 'customers.c:expression']],
    ['SELECT row_to_json(c) FROM customers c', ['customers.*:expression', 'customers.c:expression']],
    ['SELECT email(c) FROM customers c', ['customers.*:expression', 'customers.c:expression']],
    ['SELECT row(c.*) FROM customers c', ['customers.*:expression']],
    ['SELECT json_agg(c.*) FROM customers c', ['customers.*:expression']],
    ['SELECT id FROM customers WHERE email = $1', ['customers.email:expression', 'customers.id:output']],
    ['SELECT id FROM customers ORDER BY email', ['customers.email:expression', 'customers.id:output']],
    ['SELECT email FROM customers ORDER BY 1', ['customers.email:expression', 'customers.email:output']],
    ['SELECT email AS x FROM customers ORDER BY x', ['customers.email:expression', 'customers.email:output', 'customers.x:expression']],
    ['SELECT count(*) FROM customers GROUP BY email', ['customers.email:expression']],
    ['SELECT email, count(*) FROM customers GROUP BY 1', ['customers.email:expression', 'customers.email:output']],
    ['SELECT DISTINCT ON (email) id FROM customers', ['customers.email:expression', 'customers.id:output']],
    ['SELECT id FROM customers LIMIT (SELECT length(email) FROM customers)', ['?.email:expression', 'customers.id:output']],
    ['SELECT count(*) OVER (PARTITION BY email) FROM customers', ['customers.email:expression']],
    ['SELECT count(*) OVER w FROM customers WINDOW w AS (ORDER BY email)', ['customers.email:expression']],
    ['SELECT count(*) FILTER (WHERE email = $1) FROM customers', ['customers.email:expression']],
    ['SELECT email FROM customers UNION SELECT 1', ['customers.email:expression']],
    ['SELECT * FROM customers UNION ALL SELECT * FROM b', ['b.*:expression', 'customers.*:expression']],
    ['SELECT * FROM (SELECT email FROM customers) s', ['?.*:output', 'customers.email:expression']],
    ['SELECT s.e FROM (SELECT email AS e FROM customers) s', ['?.e:output', 'customers.email:expression']],
    ['SELECT (SELECT email FROM customers)', ['customers.email:expression']],
    ['WITH x AS (SELECT email FROM customers) SELECT email FROM x', ['?.email:output', 'customers.email:expression']],
    ['SELECT * FROM a JOIN b USING (email)', ['?.email:expression', 'a.*:output', 'b.*:output']],
    ['SELECT 1 FROM a NATURAL JOIN b', ['a.*:expression', 'b.*:expression']],
    ['SELECT j.email FROM (a JOIN b ON true) AS j', ['?.email:output']],
    ['SELECT j.* FROM (a JOIN b ON true) AS j', ['?.*:output']],
    ['SELECT c.x FROM customers c (id, x)', ['?.x:output', 'customers.*:expression']],
    ['SELECT x FROM customers c (id, x)', ['?.x:output', 'customers.*:expression']],
    ['SELECT * FROM customers c (id, x)', ['customers.*:output']],
    ['SELECT 1 FROM a WHERE EXISTS (SELECT 1 FROM b WHERE b.x = a.y AND z = 1)', ['?.z:expression', 'a.y:expression', 'b.x:expression']],
    ['SELECT 1 FROM a, LATERAL (SELECT a.email) s', ['a.email:expression']],
    ['SELECT 1 FROM customers c WHERE EXISTS (SELECT 1 FROM b c, (SELECT c.email) s)', ['customers.email:expression']],
    ['SELECT 1 FROM customers, unnest(customers.tags) t', ['customers.tags:expression']],
    ['INSERT INTO t (a, b) SELECT email, 1 FROM customers', ['=t.a:target', '=t.b:target', 'customers.email:expression']],
    ['INSERT INTO t VALUES (1)', ['=t.*:target']],
    ['INSERT INTO t (a) VALUES (1) RETURNING a, lower(b), *', ['=t.a:target', 't.*:output', 't.a:output', 't.b:expression']],
    [
      'INSERT INTO t (a) VALUES (1) ON CONFLICT (k) DO UPDATE SET a = excluded.a WHERE t.b > 1',
      ['=t.a:target', 't.b:expression', 't.k:expression'],
    ],
    ['UPDATE t SET a = b WHERE c = 1 RETURNING d', ['=t.a:target', 't.b:expression', 't.c:expression', 't.d:output']],
    ['UPDATE t AS x SET a[1] = x.b', ['=t.a:target', 't.b:expression']],
    ['UPDATE t SET (a, b) = (SELECT u.c, u.d FROM u)', ['=t.a:target', '=t.b:target', 'u.c:expression', 'u.d:expression']],
    ['UPDATE t SET a = 1 RETURNING old.a, new.b, old.*', ['=t.a:target', 't.*:output', 't.a:output', 't.b:output']],
    ['UPDATE t SET a = 1 RETURNING WITH (OLD AS o) o.a, lower(o.b)', ['=t.a:target', 't.a:output', 't.b:expression']],
    ['DELETE FROM t USING u WHERE t.id = u.id RETURNING u.email', ['t.id:expression', 'u.email:output', 'u.id:expression']],
    ['WITH x AS (DELETE FROM t RETURNING email) SELECT 1', ['t.email:expression']],
    [
      'MERGE INTO t USING u ON t.id = u.id WHEN MATCHED THEN UPDATE SET a = u.b WHEN NOT MATCHED THEN INSERT (c) VALUES (u.d) RETURNING t.e',
      ['=t.a:target', '=t.c:target', 't.e:output', 't.id:expression', 'u.b:expression', 'u.d:expression', 'u.id:expression'],
    ],
    ['COPY customers TO STDOUT', ['customers.*:output']],
    ['COPY customers (id, email) TO STDOUT', ['customers.email:output', 'customers.id:output']],
    ['COPY t (a) FROM STDIN WHERE b > 1', ['=t.a:target', 't.b:expression']],
    ['COPY (SELECT email FROM customers) TO STDOUT', ['customers.email:output']],
    ['CREATE TABLE x AS SELECT email FROM customers', ['customers.email:expression']],
    ['SELECT email INTO x FROM customers', ['customers.email:expression']],
    ['CREATE VIEW v AS SELECT email FROM customers', ['customers.email:expression']],
    ['CREATE MATERIALIZED VIEW v AS SELECT email FROM customers', ['customers.email:expression']],
    ['PREPARE p AS SELECT email FROM customers', ['customers.email:output']],
    ['DECLARE c CURSOR FOR SELECT email FROM customers', ['customers.email:output']],
    ['EXPLAIN UPDATE t SET a = b', ['t.b:expression']],
    ['VALUES ((SELECT email FROM customers))', ['customers.email:expression']],
  ])('%s', (sql, expected) => {
    expect(columns(sql)).toEqual(expected.toSorted());
  });
});
