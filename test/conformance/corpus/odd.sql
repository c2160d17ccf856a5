 

-- only a comment

/* only a comment */

SELECT/**/1

select 1;select 2

SeLeCt 1 As "MiXeD", 2 As MiXeD

SELECT 1 AS "a
b", 'x
y' AS c

SELECT 'a''b', "id" FROM people WHERE "name" = 'Ada'

SELECT E'it\'s', '\not escaped', E'\u2602'

SELECT $1$not a tag$1$

SELECT $a$ $b$ $a$

SELECT 'é' AS "é", '☂' AS "☂", '𝄞' AS "𝄞"

SELECT U&"d\0061ta" FROM (SELECT 1 AS data) x

SELECT 1e3, .5, 5., 0x1F, 1_000

SELECT -1, - 1, --1
2

SELECT 1--1

SELECT 5 !~~ 5

SELECT 'a' ~~ 'a', 2 ^ 3, |/ 16, @ -5, 5 # 3, ~ 5, 1 << 3

SELECT 1 IS NOT NULL, NULL IS NULL, NOT true, true AND NULL

SELECT ARRAY[1,2,3][2], (ARRAY[1,2,3])[2:3], ('{"a":{"b":1}}'::jsonb)['a']['b']

SELECT CAST('1' AS int), '1'::int::text::int, int '5', date '2024-01-01' + 1

SELECT a.* FROM (SELECT 1 AS x, 2 AS y) a

SELECT ((((((((((1))))))))))

SELECT * FROM people AS p (a, b, c) ORDER BY a LIMIT 1

SELECT position('b' IN 'abc'), overlay('abcdef' PLACING 'X' FROM 2 FOR 3), trim(both 'x' FROM 'xax'), extract(year FROM date '2024-01-01')

SELECT CURRENT_DATE = now()::date, LOCALTIME IS NOT NULL

SELECT ROW(1, 2) = ROW(1, 2), (1, 2) < (1, 3), ROW(1, NULL) IS NULL

SELECT GROUPING(name), name FROM people GROUP BY GROUPING SETS ((name), ()) ORDER BY 1, 2

SELECT count(*) FILTER (WHERE id > 2), percentile_cont(0.5) WITHIN GROUP (ORDER BY id) FROM people

SELECT xmlelement(name a, 'b')

SELECT json_build_object('a', 1, 'b', ARRAY[1, 2]), to_json('x'::text), row_to_json(p) FROM people p WHERE id = 1

SELECT 1 \gx

\d

SELECT 1 LIMIT ALL

SELECT ALL 1

EXPLAIN SELECT

select from only people where false

WITH x AS MATERIALIZED (SELECT 1 AS a), y AS NOT MATERIALIZED (SELECT 2 AS b) TABLE x UNION TABLE y

SELECT 1 WHERE EXISTS (SELECT 1 FROM people WHERE name = 'Ada' INTERSECT SELECT 1)

SELECT set_config('standard_conforming_strings', 'on', false)

SET standard_conforming_strings = on

SELECT * FROM pg_catalog.pg_type WHERE typname = 'int4' AND oid = 23

SELECT relname, relkind FROM pg_class WHERE relnamespace = 'public'::regnamespace ORDER BY relname

SELECT table_name, column_name, data_type FROM information_schema.columns WHERE table_schema = 'public' ORDER BY 1, ordinal_position

SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = 'counted'::regclass ORDER BY 1

SELECT pg_get_viewdef('happy_people'), pg_get_functiondef('adds'::regproc)

SELECT sallyport refused this statement

sallyport refused this statement
