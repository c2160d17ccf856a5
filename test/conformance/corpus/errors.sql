SELECT

SELECT FROM WHERE

SELECT 'unterminated

SELECT "unterminated

SELECT $$unterminated

SELECT /* unterminated

SELECT 1 +

SELECT * FROM people WHERE ☂ = 1

SELECT (1

SELECT 1)

INSERT INTO

INSERT INTO people VALUES

SELECT * FORM people

CREATE TABLE x (a int,, b int)

SELECT nowhere

SELECT people.nowhere FROM people

SELECT p.nowhere FROM people p

SELECT nowhere.id FROM people

SELECT * FROM nowhere

SELECT * FROM nowhere.nothing

SELECT nofunction(1)

SELECT abs('a', 'b')

SELECT lower(1)

SELECT 1 + 'a'

SELECT 1 + true

SELECT 1 = 'x'::text

SELECT id, count(*) FROM people

SELECT sum(count(*)) FROM people

SELECT * FROM people GROUP BY name

SELECT id FROM people ORDER BY 5

SELECT DISTINCT ON (name) id FROM people ORDER BY id

SELECT 1 UNION SELECT 'a'

SELECT 1 UNION SELECT 1, 2

SELECT id FROM people, counted

SELECT 1/0

SELECT 1 % 0

SELECT 2147483647 + 1

SELECT 9223372036854775807 + 1

SELECT 99999999999999999999::int

SELECT 1e400::double precision

SELECT sqrt(-1)

SELECT ln(0)

SELECT 'x'::int

SELECT 'x'::boolean

SELECT '2024-13-01'::date

SELECT '2024-02-30'::date

SELECT '25:00'::time

SELECT 'x'::interval

SELECT '{1,2'::int[]

SELECT '{"a"'::json

SELECT 'x'::uuid

SELECT '1.2.3'::inet

SELECT 'furious'::mood

SELECT (-1)::positive

SELECT 'abcdef'::varchar(3)

SELECT substring('abc' FROM 1 FOR -1)

SELECT ARRAY[1, 2]::int[] || ARRAY['a']

SELECT ARRAY[[1], [2, 3]]

SELECT (SELECT id FROM people)

SELECT (SELECT id, name FROM people LIMIT 1)

SELECT 1 WHERE 1

SELECT 'a' LIKE 'a\'

SELECT 'a' ~ '('

SELECT regexp_replace('a', '[', '')

SELECT E'\xff'

SELECT chr(0)

SELECT chr(-1)

SELECT convert_from('\xff', 'UTF8')

SELECT decode('zz', 'hex')

SELECT repeat('x', 2000000000)

SELECT * FROM generate_series(1, 10, 0)

SELECT setseed(5)

SELECT nextval('nowhere')

SELECT currval('counted_id_seq')

SELECT to_date('x', 'YYYY')

SELECT extract(nothing FROM now())

SELECT date_trunc('nothing', now())

INSERT INTO people VALUES (1, 'again')

INSERT INTO people (id) VALUES (50)

INSERT INTO people (id, name, nowhere) VALUES (50, 'x', 1)

INSERT INTO people VALUES (50, 'x', 'furious')

INSERT INTO people VALUES (50)

INSERT INTO people VALUES (50, 'x', NULL, NULL, 999999999999.99)

INSERT INTO counted (n) VALUES (-5)

INSERT INTO counted (n, person) VALUES (1, 99)

INSERT INTO counted (id, n) VALUES (1, 1)

UPDATE people SET nowhere = 1

UPDATE people SET name = NULL WHERE id = 1

UPDATE happy_people SET id = 1 WHERE id = 1

DELETE FROM nowhere

TRUNCATE nowhere

DROP TABLE nowhere

DROP TABLE IF EXISTS nowhere

DROP VIEW people

DROP TYPE mood

CREATE TABLE people (id int)

CREATE TABLE IF NOT EXISTS people (id int)

CREATE VIEW happy_people AS SELECT 1

CREATE TABLE bad (id nowhere)

CREATE TABLE bad (id int PRIMARY KEY, id int)

CREATE TABLE bad (id int PRIMARY KEY, n int PRIMARY KEY)

CREATE INDEX ON people (nowhere)

CREATE UNIQUE INDEX ON people ((1))

ALTER TABLE people ADD COLUMN id int

ALTER TABLE people DROP COLUMN nowhere

ALTER TABLE people ALTER COLUMN name TYPE int

ALTER TABLE people ADD CONSTRAINT c CHECK (id > 100)

CREATE FUNCTION bad() RETURNS int LANGUAGE sql AS 'SELECT nowhere'

CREATE FUNCTION bad() RETURNS int LANGUAGE nothing AS ''

CREATE FUNCTION bad() RETURNS int LANGUAGE plpgsql AS 'BEGIN RETURN 1 END'

CALL nowhere()

CALL adds('x')

SELECT adds(1)

SELECT fails('P0001', 'raised')

SELECT fails('22012', 'as if divided')

SELECT fails('40001', 'could not serialize')

SELECT fails('40P01', 'as if deadlocked')

SELECT fails('57014', 'as if cancelled')

SELECT fails('57P01', 'as if terminated')

SELECT fails('53100', 'as if the disk were full')

SELECT fails('58000', 'system')

SELECT fails('XX000', 'internal')

SELECT fails('28000', 'as if not signed in')

SELECT fails('0A000', 'not supported')

SELECT fails('01000', 'a warning as an error')

SELECT fails('02000', 'no data')

SELECT fails('08P01', 'protocol')

SELECT fails('25P02', 'failed transaction')

SELECT fails('3D000', 'no such database')

SELECT fails('42501', 'as if refused')

SELECT fails('ZZZZZ', 'of nobody’s class ☂')

SELECT fails('bad', 'not a code')

DO $$ BEGIN RAISE EXCEPTION 'outer' USING ERRCODE = 'unique_violation', TABLE = 't', COLUMN = 'c', CONSTRAINT = 'k', SCHEMA = 's', DATATYPE = 'd'; END $$

DO $$ BEGIN PERFORM 1/0; EXCEPTION WHEN division_by_zero THEN RAISE NOTICE 'caught %', SQLERRM; END $$

DO $$ DECLARE x int; BEGIN SELECT id INTO STRICT x FROM people; END $$

DO $$ BEGIN EXECUTE 'SELEC 1'; END $$

DO $$ BEGIN EXECUTE 'SELECT * FROM nowhere WHERE a = 1'; END $$

DO LANGUAGE nothing 'x'

DO $$ BEGIN ASSERT 1 = 2, 'asserted'; END $$

SET nowhere = 1

SET work_mem = 'lots'

SET work_mem = '1kB'

SET TimeZone = 'Nowhere/City'

SHOW nowhere

SHOW work_mem

RESET nowhere

SET ROLE nobody_at_all

SET SESSION AUTHORIZATION postgres

SET log_statement = 'all'

SET transaction_isolation = 'serializable'

ALTER SYSTEM SET work_mem = '8MB'

CREATE ROLE another

CREATE DATABASE another

DROP DATABASE corpus

DROP DATABASE nowhere

CREATE EXTENSION nowhere

CREATE EXTENSION plpython3u

CREATE TABLESPACE x LOCATION '/nowhere'

CREATE EVENT TRIGGER x ON ddl_command_start EXECUTE FUNCTION notices()

LOAD 'nowhere'

CHECKPOINT

VACUUM nowhere

VACUUM; SELECT 1

CREATE INDEX CONCURRENTLY ON nowhere (x)

REINDEX TABLE nowhere

CLUSTER nowhere

ANALYZE nowhere

LOCK TABLE people

COMMIT PREPARED 'nothing'

PREPARE TRANSACTION 'x'

EXECUTE nowhere

DEALLOCATE nowhere

DECLARE c CURSOR FOR SELECT 1

FETCH nowhere

CLOSE nowhere

MOVE nowhere

SAVEPOINT outside

ROLLBACK TO nowhere

RELEASE nowhere

COMMIT

ROLLBACK

COPY people FROM '/nowhere'

COPY people TO '/nowhere'

COPY people TO PROGRAM 'true'

COPY nowhere FROM STDIN

COPY people (nowhere) TO STDOUT

COPY (SELECT 1/0) TO STDOUT

COPY people TO STDOUT (FORMAT nothing)

COPY people TO STDOUT (FORMAT csv, DELIMITER 'ab')

LISTEN

NOTIFY "a.b", 'x'

SELECT pg_notify('', 'x')

SELECT pg_notify('c', repeat('x', 9000))

SELECT pg_read_file('/etc/passwd')

SELECT pg_reload_conf()

SELECT lo_get(1)

SELECT * FROM pg_hba_file_rules

SELECT umoptions FROM pg_user_mapping

GRANT nowhere TO nobody_at_all

GRANT SELECT ON nowhere TO PUBLIC

MERGE INTO people USING numbers ON true WHEN MATCHED THEN DELETE

MERGE INTO nowhere USING numbers ON true WHEN MATCHED THEN DELETE

EXPLAIN SELECT * FROM nowhere

EXPLAIN (NOTHING) SELECT 1

EXPLAIN ANALYZE SELECT 1/0

SELECT * FROM people FOR UPDATE OF nowhere

SELECT * FROM happy_people FOR UPDATE

WITH x AS (SELECT 1) SELECT * FROM y

WITH RECURSIVE x AS (SELECT 1 UNION ALL SELECT 1 FROM x, x) SELECT * FROM x

WITH x AS (DELETE FROM nowhere RETURNING *) SELECT * FROM x

SELECT * FROM json_to_record('{}')

SELECT rank() FROM people

SELECT count(*) OVER (ORDER BY) FROM people

VALUES (1), (1, 2)

VALUES (1, 'a'), ('b', 2)

TABLE nowhere

IMPORT FOREIGN SCHEMA x FROM SERVER y INTO z

SECURITY LABEL ON TABLE people IS 'x'

REFRESH MATERIALIZED VIEW people

DISCARD ALL; SELECT 1

BEGIN; DISCARD ALL

ROLLBACK

SELECT 1 AS "a""b", 2 AS "ü", 3 AS "a very long identifier that goes on and on beyond the sixty-three bytes that names may have"

SELECT * FROM "nowhere ☂"
