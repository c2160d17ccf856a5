\set VERBOSITY verbose
\set SHOW_CONTEXT always
\pset null '(null)'
SELECT 1 AS one, 'two' AS two, NULL AS three;
SELECT * FROM people ORDER BY id;
\x on
SELECT * FROM people WHERE id = 4;
\x off
\d people
\d+ counted
\dt
\dv
\df fails
\dT+ mood
\dn
\l corpus
SELECT 1/0;
SELECT nowhere FROM people;
SELEC 1;
SELECT 1; SELECT 1/0; SELECT 2;
SELECT 1 \; SELECT 1/0 \; SELECT 2;
BEGIN;
INSERT INTO counted (n, unique_n) VALUES (1, 1) RETURNING n;
INSERT INTO counted (n, unique_n) VALUES (1, 1);
SELECT 1;
ROLLBACK;
\set ON_ERROR_ROLLBACK on
BEGIN;
INSERT INTO counted (n, unique_n) VALUES (2, 2) RETURNING n;
INSERT INTO counted (n, unique_n) VALUES (2, 2);
SELECT n FROM counted;
ROLLBACK;
\set ON_ERROR_ROLLBACK off
SELECT notices(3);
DO $$ BEGIN RAISE WARNING 'careful ☂' USING DETAIL = 'the detail', HINT = 'the hint'; END $$;
SELECT fails('P0001', 'raised');
CREATE TEMP TABLE c (id int, v text);
\copy c from pstdin csv
COPY c FROM STDIN;
1	one
2	two
\.
COPY c FROM STDIN;
x	bad
\.
TABLE c;
COPY c TO STDOUT (FORMAT csv, HEADER);
\copy (SELECT * FROM c ORDER BY id) to pstdout
SELECT 'SELECT ' || i FROM generate_series(1, 3) i \gexec
SELECT 41 + 1 AS answer \gset
\echo :answer
SELECT $1::int + 1 \bind 41 \g
PREPARE p (int) AS SELECT n, square FROM numbers WHERE n <= $1 ORDER BY n;
EXECUTE p(3);
EXECUTE p('x');
\set FETCH_COUNT 100
SELECT n FROM numbers WHERE n < 250 ORDER BY n;
\set FETCH_COUNT 0
LISTEN news;
NOTIFY news, 'hello';
SELECT i, repeat('x', i) FROM generate_series(1, 200) i;
EXPLAIN (COSTS OFF) SELECT * FROM numbers WHERE n = 5;
\crosstabview
SELECT p.mood, p.id % 2 AS odd, p.name FROM people p ORDER BY 1, 2 \crosstabview
\encoding
SHOW client_encoding;
SET statement_timeout = '50ms';
SELECT pg_sleep(10);
RESET statement_timeout;
\timing off
\errverbose
\conninfo_is_not_a_command
SELECT pg_terminate_backend(pg_backend_pid());
SELECT 'reconnected' AS state;
