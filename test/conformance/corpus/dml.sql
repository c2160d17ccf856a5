CREATE TEMP TABLE d (id int PRIMARY KEY, v text, n numeric DEFAULT 1)

INSERT INTO d VALUES (1, 'a'), (2, 'b'), (3, NULL)

INSERT INTO d DEFAULT VALUES

INSERT INTO d (id, v) SELECT i, 'i' || i FROM generate_series(10, 15) i RETURNING *

INSERT INTO d VALUES (1, 'x') ON CONFLICT DO NOTHING

INSERT INTO d VALUES (1, 'x') ON CONFLICT (id) DO UPDATE SET v = excluded.v || d.v RETURNING id, v, xmax = 0 AS inserted

INSERT INTO d VALUES (1, 'x') ON CONFLICT (v) DO NOTHING

INSERT INTO d VALUES (20, DEFAULT, DEFAULT) RETURNING n, v

UPDATE d SET v = 'u' WHERE id < 3

UPDATE d SET v = NULL, n = n + 1 WHERE id = 10 RETURNING d.*

UPDATE d SET v = p.name FROM people p WHERE p.id = d.id RETURNING d.id, p.name

UPDATE d SET (v, n) = (SELECT 'sub', 9) WHERE id = 11

UPDATE d SET v = 'nobody' WHERE false

DELETE FROM d WHERE id = 12

DELETE FROM d USING people p WHERE p.id = d.id AND p.name = 'Ada' RETURNING *

DELETE FROM d WHERE false RETURNING id

MERGE INTO d USING (VALUES (10, 'm'), (99, 'new')) AS s(id, v) ON d.id = s.id WHEN MATCHED THEN UPDATE SET v = s.v WHEN NOT MATCHED THEN INSERT (id, v) VALUES (s.id, s.v)

WITH gone AS (DELETE FROM d WHERE id = 13 RETURNING id), added AS (INSERT INTO d SELECT id + 100, 'moved' FROM gone RETURNING id) SELECT * FROM gone, added

WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < 5) SELECT * FROM r

SELECT * FROM d ORDER BY id NULLS FIRST

SELECT v, count(*), sum(n), avg(n) FROM d GROUP BY v ORDER BY v NULLS LAST

SELECT v, count(*) FROM d GROUP BY ROLLUP (v) ORDER BY 1, 2

SELECT id, row_number() OVER w, lag(id) OVER w, sum(id) OVER (ORDER BY id ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) FROM d WINDOW w AS (ORDER BY id)

SELECT a.id, b.id FROM d a LEFT JOIN LATERAL (SELECT * FROM d x WHERE x.id > a.id ORDER BY id LIMIT 1) b ON true ORDER BY 1

SELECT * FROM people NATURAL JOIN numbers

SELECT * FROM people p FULL JOIN d USING (id) ORDER BY id

SELECT id FROM people UNION SELECT id FROM d EXCEPT SELECT 1 ORDER BY 1

SELECT id FROM d ORDER BY id OFFSET 2 FETCH FIRST 3 ROWS ONLY

SELECT id FROM d ORDER BY id FETCH FIRST 2 ROWS WITH TIES

SELECT DISTINCT ON (n) n, id FROM d ORDER BY n, id

SELECT CASE WHEN id > 2 THEN 'big' ELSE 'small' END, coalesce(v, 'none'), nullif(id, 1), greatest(id, 5) FROM d ORDER BY id

SELECT id FROM d WHERE id IN (1, 2, 3) AND v IS DISTINCT FROM 'x' AND v NOT LIKE 'z%' OR id BETWEEN SYMMETRIC 20 AND 10 ORDER BY id

SELECT EXISTS (SELECT FROM d), 1 = ANY (SELECT id FROM d), 1 < ALL (VALUES (2), (3))

SELECT * FROM d TABLESAMPLE SYSTEM (100) REPEATABLE (1) ORDER BY id

SELECT * FROM d WHERE id = 2 FOR UPDATE

SELECT * FROM d WHERE id = 2 FOR SHARE NOWAIT

SELECT * FROM d FOR NO KEY UPDATE SKIP LOCKED LIMIT 1

SELECT * FROM ROWS FROM (generate_series(1, 3), generate_series(1, 2)) WITH ORDINALITY

SELECT * FROM json_to_recordset('[{"a":1,"b":"x"},{"a":2}]') AS x(a int, b text)

SELECT * FROM jsonb_each('{"a": 1, "b": {"c": 2}}')

SELECT * FROM unnest(ARRAY[1, 2], ARRAY['a', 'b', 'c']) AS t(x, y)

SELECT * FROM string_to_table('a,b,c', ',')

SELECT regexp_matches('foobarbequebaz', 'ba.', 'g')

SELECT format('%I %L %s', 'a b', 'it''s', 3), quote_ident('select'), quote_nullable(NULL)

SELECT * FROM generate_series('2024-01-01'::date, '2024-01-03', '1 day')

SELECT g, g * g FROM generate_series(1, 500) g

--> not binary
SELECT tableoid::regclass, ctid FROM numbers WHERE n = 1

SELECT (SELECT max(id) FROM d) AS scalar, ARRAY(SELECT id FROM d ORDER BY id) AS list

TABLE numbers ORDER BY n LIMIT 3

VALUES (1, 'one'), (2, 'two'), (3, NULL)

SELECT * FROM (VALUES (1), (2)) AS v (a) WHERE a > 1

SELECT 1 AS a, 2 AS a, 3 AS a

SELECT count(*) FROM d; DELETE FROM d; SELECT count(*) FROM d

SELECT 1; INSERT INTO d VALUES (1, 'q') RETURNING id; SELECT notices(1); UPDATE d SET v = 'w'; TABLE d

SELECT 1; ; SELECT 2;; -- the end

DROP TABLE d

DO $$ BEGIN RAISE NOTICE 'n'; RAISE WARNING 'w'; RAISE INFO 'i'; RAISE LOG 'l'; RAISE DEBUG 'd'; END $$

DO $$ BEGIN RAISE NOTICE 'with all' USING DETAIL = 'the detail', HINT = 'the hint', ERRCODE = '01007'; END $$

DO $$ BEGIN EXECUTE 'CREATE TEMP TABLE dyn (x int)'; EXECUTE 'INSERT INTO dyn VALUES ($1)' USING 5; END $$

TABLE dyn

SELECT notices(30)

SELECT * FROM happy_people

SELECT pg_catalog.version() ~ 'PostgreSQL'

SELECT n FROM numbers WHERE square > 990000 ORDER BY n

SELECT random() < 2, now() = transaction_timestamp(), clock_timestamp() > 'epoch'
