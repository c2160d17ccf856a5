SHOW server_encoding

SHOW client_encoding

SHOW standard_conforming_strings

SHOW search_path

SET search_path = pg_temp, public

SHOW search_path

SELECT current_schema() LIKE 'pg_temp%', cardinality(current_schemas(true))

RESET search_path

SET application_name = 'corpus ☂'

SHOW application_name

SET application_name TO DEFAULT

SET my.setting = 'mine'

SHOW my.setting

SELECT current_setting('my.setting'), current_setting('my.other', true), set_config('my.setting', 'yours', false)

SELECT current_setting('my.nothing')

SET client_min_messages = debug1

SELECT 1

RESET client_min_messages

SET client_min_messages = error

SELECT notices(2)

SET client_min_messages = notice

SELECT notices(2)

SELECT current_database(), current_user, session_user, current_role, current_catalog

SELECT length(current_user), current_user = session_user

SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY

CREATE TABLE never (x int)

SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE

SET default_transaction_read_only = on

DELETE FROM numbers

SET default_transaction_read_only = off

SET statement_timeout = '50ms'

SELECT pg_sleep(5)

SET statement_timeout = 0

SET lock_timeout = '10ms'

RESET lock_timeout

SET DateStyle = 'SQL, MDY'

SET IntervalStyle = 'sql_standard'

SET TimeZone TO 'Europe/Berlin'

SET TIME ZONE INTERVAL '+03:00' HOUR TO MINUTE

RESET client_encoding

SHOW client_encoding

PREPARE one AS SELECT 1

EXECUTE one

PREPARE one AS SELECT 2

PREPARE two (int, text) AS SELECT $1 + 1 AS next, $2 AS said

EXECUTE two(41, 'x')

EXECUTE two(1)

EXECUTE two('a', 'b')

PREPARE three AS SELECT id FROM people WHERE name = $1

EXECUTE three('Ada')

PREPARE four AS INSERT INTO counted (n, unique_n) VALUES (1, $1) RETURNING unique_n

EXECUTE four(200)

EXECUTE four(200)

EXPLAIN (COSTS OFF) EXECUTE three('Ada')

CREATE TEMP TABLE from_execute AS EXECUTE three('Ada')

TABLE from_execute

SELECT name, statement, parameter_types, result_types FROM pg_prepared_statements WHERE from_sql ORDER BY name

DEALLOCATE one

EXECUTE one

DEALLOCATE PREPARE two

DEALLOCATE ALL

EXECUTE three('Ada')

PREPARE bad AS SELECT nowhere

PREPARE a AS SELECT 1; EXECUTE a; DEALLOCATE a

PREPARE b AS SELECT 1; PREPARE b AS SELECT 2

EXECUTE b

DISCARD PLANS

DISCARD SEQUENCES

DISCARD TEMP

TABLE from_execute

DISCARD ALL

SELECT pg_advisory_lock(42)

SELECT pg_try_advisory_lock(42), pg_advisory_unlock(42), pg_advisory_unlock(42), pg_advisory_unlock(42)

SELECT pg_advisory_xact_lock(1, 2)

SELECT pg_advisory_unlock_all()

LISTEN channel

NOTIFY channel

NOTIFY channel, 'payload ☂'

SELECT pg_notify('channel', 'one'), pg_notify('channel', 'two'), pg_notify('channel', 'one')

BEGIN; NOTIFY channel, 'in a transaction'; SELECT 1; COMMIT

BEGIN; NOTIFY channel, 'never'; ROLLBACK

SELECT pg_listening_channels()

NOTIFY other, 'unheard'

UNLISTEN channel

NOTIFY channel, 'unheard'

UNLISTEN *

DELETE FROM counted

SET ROLE corpus_owner

RESET ROLE

SET ROLE NONE

SET SESSION AUTHORIZATION DEFAULT

SELECT pg_backend_pid() > 0

SELECT inet_client_addr() IS NOT NULL

SELECT pg_is_in_recovery()

SELECT usename = current_user, application_name FROM pg_stat_activity WHERE pid = pg_backend_pid()

SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()
