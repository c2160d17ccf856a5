// Longer than most: one table of statements and what they are.
import { STATEMENT_TAGS } from './generated/nodes.js';
import { fromPostgres, loadParser } from './index.js';
import { RULES } from './sql/statements.js';

beforeAll(loadParser);

/** class, kind, SQL. The class is without its `postgres.`. */
const STATEMENTS = `
read | select | SELECT 1
read | select | SELECT * FROM customers
read | select | VALUES (1, 'a'), (2, 'b')
read | select | TABLE customers
read | select | SELECT a FROM t UNION ALL SELECT b FROM u
read | select | SELECT count(*), max(x) FROM t GROUP BY y HAVING count(*) > 1
read | select | SELECT now(), random(), clock_timestamp(), gen_random_uuid(), timeofday(), pg_sleep(1)
read | select | SELECT pg_catalog.lower('X'), extract(year FROM now()), overlay('abc' PLACING 'x' FROM 1), trim(' a ')
read | select | SELECT a::int, CAST(b AS text), coalesce(c, 1), CASE WHEN d THEN 1 ELSE 2 END, ARRAY[1, 2], ROW(1, 2), (ROW(1, 2)).f1 FROM t
read | select | SELECT sum(x) OVER (PARTITION BY y ORDER BY z ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) FROM t
read | select | SELECT row_number() OVER w FROM t WINDOW w AS (ORDER BY x)
read | select | SELECT * FROM generate_series(1, 10) AS g(i)
read | select | SELECT * FROM t TABLESAMPLE bernoulli (10) REPEATABLE (1)
read | select | SELECT * FROM jsonb_to_recordset('[]') AS x(a int, b text)
read | select | SELECT * FROM json_table('[]', '$[*]' COLUMNS (a int PATH '$.a')) AS jt
read | select | SELECT * FROM xmltable('/r' PASSING '<r/>' COLUMNS a int PATH '@a') AS xt
read | select | SELECT json_object('a' : 1), json_array(1, 2), json_exists('{}', '$.a'), xmlelement(name e, 'x')
read | select | SELECT * FROM t WHERE x IN (SELECT y FROM u) AND EXISTS (SELECT 1 FROM v) AND z = ANY (ARRAY[1])
read | select | SELECT * FROM t WHERE a BETWEEN 1 AND 2 AND b LIKE 'x%' AND c SIMILAR TO 'y' AND d IS DISTINCT FROM e AND f ~ 'z'
read | select | WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r WHERE n < 10) SELECT * FROM r
read | select | SELECT current_user, session_user, current_date, current_setting('search_path')
read | select | SELECT a AT TIME ZONE 'UTC', a COLLATE "C", a IS NULL, NOT b, -c, d[1], d[1:2], (e).f FROM t
read | select | SELECT grouping(a), a FROM t GROUP BY GROUPING SETS ((a), ())
read | select | SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY x) FILTER (WHERE y) FROM t
read | select | SELECT pg_advisory_unlock_all()
read | select | SELECT pg_relation_size('t'), pg_stat_get_xact_tuples_inserted(1), pg_walfile_name('0/0')
read | explain | EXPLAIN SELECT * FROM t
read | explain | EXPLAIN (FORMAT json, COSTS off) SELECT * FROM t
read | explain | EXPLAIN DELETE FROM t
read | explain | EXPLAIN (ANALYZE false) UPDATE t SET a = 1
read | explain | EXPLAIN (ANALYZE off, VERBOSE) INSERT INTO t VALUES (1)
read | explain | EXPLAIN (ANALYZE 0) DELETE FROM t
read | explain | EXPLAIN ANALYZE SELECT * FROM t
read | explain | EXPLAIN CREATE TABLE x AS SELECT 1
read | copy | COPY t TO STDOUT
read | copy | COPY t (a, b) TO STDOUT WITH (FORMAT csv, HEADER)
read | copy | COPY (SELECT a FROM t) TO STDOUT
read | prepare | PREPARE p AS SELECT * FROM t WHERE id = $1
read | declare_cursor | DECLARE c CURSOR FOR SELECT * FROM t
write.insert | insert | INSERT INTO t VALUES (1)
write.insert | insert | INSERT INTO t (a) SELECT a FROM u
write.insert | insert | INSERT INTO t DEFAULT VALUES RETURNING id
write.insert | insert | INSERT INTO t VALUES (1) ON CONFLICT DO NOTHING
write.update | insert | INSERT INTO t VALUES (1) ON CONFLICT (id) DO UPDATE SET a = excluded.a
write.insert | prepare | PREPARE p (int) AS INSERT INTO t VALUES ($1)
write.insert | explain | EXPLAIN ANALYZE INSERT INTO t VALUES (1)
write.insert | select | WITH x AS (INSERT INTO t VALUES (1) RETURNING *) SELECT * FROM x
write.update | update | UPDATE t SET a = 1 WHERE id = 1
write.update | update | UPDATE ONLY t SET (a, b) = (SELECT 1, 2) FROM u WHERE u.id = t.id
write.update | select | WITH x AS (UPDATE t SET a = 1 WHERE id = 1 RETURNING *) SELECT * FROM x
write.delete | delete | DELETE FROM t WHERE id = 1
write.delete | delete | DELETE FROM t USING u WHERE u.id = t.id
write.delete | insert | WITH x AS (DELETE FROM t RETURNING *) INSERT INTO u SELECT * FROM x
write.delete | explain | EXPLAIN ANALYZE DELETE FROM t
write.delete | explain | EXPLAIN (VERBOSE, ANALYZE on) DELETE FROM t
write.delete | explain | EXPLAIN (ANALYZE off, ANALYZE) DELETE FROM t
write.delete | explain | EXPLAIN (ANALYZE, ANALYZE off) DELETE FROM t
write.delete | copy | COPY (DELETE FROM t RETURNING *) TO STDOUT
write.merge | merge | MERGE INTO t USING u ON t.id = u.id WHEN MATCHED THEN DO NOTHING
write.merge | merge | MERGE INTO t USING u ON t.id = u.id WHEN NOT MATCHED THEN INSERT VALUES (u.id)
write.delete | merge | MERGE INTO t USING u ON t.id = u.id WHEN MATCHED THEN DELETE
write.truncate | truncate | TRUNCATE t, u RESTART IDENTITY CASCADE
write.copy | copy | COPY t FROM STDIN
write.copy | copy | COPY t (a) FROM STDIN WHERE a > 1
write.lock | select | SELECT * FROM t FOR UPDATE
write.lock | select | SELECT * FROM t FOR NO KEY UPDATE
write.lock | select | SELECT * FROM t FOR SHARE
write.lock | select | SELECT * FROM t FOR KEY SHARE SKIP LOCKED
write.lock | select | SELECT * FROM (SELECT * FROM t FOR UPDATE) s
write.lock | select | SELECT pg_advisory_lock(1)
write.lock | lock | LOCK TABLE t IN ACCESS EXCLUSIVE MODE
write.into | select | SELECT * INTO x FROM t
write.refresh | refresh_matview | REFRESH MATERIALIZED VIEW CONCURRENTLY m
write.call | call | CALL p(1)
write.call | select | SELECT my_function(1)
write.call | select | SELECT app.lower('x')
write.call | select | SELECT nextval('s')
write.call | select | SELECT setval('s', 1)
write.call | select | SELECT lo_unlink(1)
write.call | explain | EXPLAIN SELECT my_function(1)
write.two_phase | prepare_transaction | PREPARE TRANSACTION 'x'
write.two_phase | commit_prepared | COMMIT PREPARED 'x'
write.two_phase | rollback_prepared | ROLLBACK PREPARED 'x'
ddl.create | create_table | CREATE TABLE t (id int PRIMARY KEY, a text DEFAULT 'x' CHECK (a <> ''))
ddl.create | create_table | CREATE TEMP TABLE t (LIKE u INCLUDING ALL) ON COMMIT DROP
ddl.create | create_table | CREATE TABLE p PARTITION OF t FOR VALUES FROM (1) TO (10)
ddl.create | create_table_as | CREATE TABLE x AS SELECT * FROM t
ddl.create | create_matview | CREATE MATERIALIZED VIEW m AS SELECT * FROM t
ddl.create | create_view | CREATE OR REPLACE VIEW v AS SELECT * FROM t
ddl.create | create_schema | CREATE SCHEMA s
ddl.create | create_sequence | CREATE SEQUENCE s OWNED BY t.id
ddl.create | create_type | CREATE TYPE c AS (a int, b text)
ddl.create | create_type | CREATE TYPE e AS ENUM ('a', 'b')
ddl.create | create_type | CREATE TYPE r AS RANGE (subtype = int4)
ddl.create | create_domain | CREATE DOMAIN d AS text CHECK (value <> '')
ddl.create | define | CREATE OPERATOR === (LEFTARG = int, RIGHTARG = int, FUNCTION = int4eq)
ddl.create | define | CREATE COLLATION c (LOCALE = 'C')
ddl.create | define | CREATE TEXT SEARCH DICTIONARY d (TEMPLATE = simple)
ddl.create | create_operator_class | CREATE OPERATOR CLASS oc FOR TYPE int USING btree AS OPERATOR 1 <
ddl.create | create_operator_family | CREATE OPERATOR FAMILY f USING btree
ddl.create | create_statistics | CREATE STATISTICS st ON a, b FROM t
ddl.create | create_conversion | CREATE CONVERSION c FOR 'UTF8' TO 'LATIN1' FROM utf8_to_iso8859_1
ddl.create | create_cast | CREATE CAST (text AS int) WITH INOUT
ddl.create | create_transform | CREATE TRANSFORM FOR hstore LANGUAGE plpgsql (FROM SQL WITH FUNCTION f(internal))
ddl.index | create_index | CREATE UNIQUE INDEX CONCURRENTLY i ON t (lower(a)) WHERE b
ddl.alter | alter_table | ALTER TABLE t ADD COLUMN a int
ddl.alter | alter_table | ALTER TABLE t ATTACH PARTITION p DEFAULT
ddl.alter | rename | ALTER TABLE t RENAME TO u
ddl.alter | rename | ALTER TABLE t RENAME COLUMN a TO b
ddl.alter | set_schema | ALTER TABLE t SET SCHEMA s
ddl.alter | alter_type | ALTER TYPE e ADD VALUE 'c'
ddl.alter | alter_type | ALTER TYPE b SET (RECEIVE = f)
ddl.alter | alter_domain | ALTER DOMAIN d DROP NOT NULL
ddl.alter | alter_sequence | ALTER SEQUENCE s RESTART WITH 1
ddl.alter | alter_statistics | ALTER STATISTICS st SET STATISTICS 10
ddl.alter | alter_operator | ALTER OPERATOR + (int, int) SET (RESTRICT = NONE)
ddl.alter | alter_operator_family | ALTER OPERATOR FAMILY f USING btree ADD OPERATOR 1 < (int, int)
ddl.alter | alter_collation | ALTER COLLATION c REFRESH VERSION
ddl.alter | alter_text_search | ALTER TEXT SEARCH DICTIONARY d (StopWords = x)
ddl.alter | alter_text_search | ALTER TEXT SEARCH CONFIGURATION c ADD MAPPING FOR word WITH simple
ddl.alter | alter_depends | ALTER INDEX i DEPENDS ON EXTENSION x
ddl.comment | comment | COMMENT ON TABLE t IS 'x'
ddl.trigger | create_trigger | CREATE TRIGGER g BEFORE INSERT ON t FOR EACH ROW WHEN (NEW.a > 1) EXECUTE FUNCTION f()
ddl.trigger | alter_table | ALTER TABLE t DISABLE TRIGGER ALL
ddl.trigger | alter_table | ALTER TABLE t DISABLE RULE r
ddl.rule | create_rule | CREATE RULE r AS ON SELECT TO t DO INSTEAD SELECT * FROM u
ddl.rule | create_rule | CREATE RULE r AS ON UPDATE TO t DO ALSO DELETE FROM u WHERE u.id = OLD.id
ddl.routine | create_function | CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'
ddl.routine | create_function | CREATE FUNCTION f() RETURNS int LANGUAGE sql RETURN 1
ddl.routine | create_function | CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; END
ddl.routine | create_procedure | CREATE PROCEDURE f() LANGUAGE plpgsql AS $$ BEGIN END $$
ddl.routine | create_aggregate | CREATE AGGREGATE a (int) (SFUNC = int4pl, STYPE = int)
ddl.routine | alter_function | ALTER FUNCTION f() SECURITY DEFINER
ddl.routine | rename | ALTER FUNCTION f() RENAME TO g
ddl.drop | drop_table | DROP TABLE IF EXISTS t CASCADE
ddl.drop | drop_view | DROP VIEW v
ddl.drop | drop_function | DROP FUNCTION f(int)
ddl.drop | drop_schema | DROP SCHEMA s CASCADE
ddl.drop | drop_trigger | DROP TRIGGER g ON t
privilege.grant | grant | GRANT SELECT ON t TO r
privilege.grant | grant | GRANT ALL ON ALL TABLES IN SCHEMA s TO PUBLIC
privilege.grant | grant_role | GRANT admin TO me WITH ADMIN OPTION
privilege.revoke | revoke | REVOKE SELECT ON t FROM r
privilege.revoke | revoke_role | REVOKE admin FROM me
privilege.grant | alter_default_privileges | ALTER DEFAULT PRIVILEGES IN SCHEMA s GRANT SELECT ON TABLES TO r
privilege.role | create_role | CREATE ROLE r LOGIN PASSWORD 'x'
privilege.role | create_role | CREATE USER u SUPERUSER
privilege.role | alter_role | ALTER ROLE r PASSWORD 'x'
privilege.role | alter_role | ALTER GROUP g ADD USER u
privilege.role | alter_role_set | ALTER ROLE r SET search_path = x
privilege.role | drop_role | DROP ROLE r
privilege.role | rename | ALTER ROLE r RENAME TO s
privilege.set_role | set | SET ROLE admin
privilege.set_role | set | SET LOCAL ROLE 'admin'
privilege.set_role | set | SET ROLE NONE
privilege.set_role | reset | RESET ROLE
privilege.session_authorization | set | SET SESSION AUTHORIZATION admin
privilege.session_authorization | set | SET SESSION AUTHORIZATION DEFAULT
privilege.session_authorization | reset | RESET SESSION AUTHORIZATION
privilege.owner | alter_owner | ALTER FUNCTION f() OWNER TO r
privilege.owner | alter_owner | ALTER SCHEMA s OWNER TO r
privilege.owner | alter_table | ALTER TABLE t OWNER TO r
privilege.owner | reassign_owned | REASSIGN OWNED BY a TO b
privilege.owner | drop_owned | DROP OWNED BY a
privilege.policy | create_policy | CREATE POLICY p ON t USING (owner = current_user)
privilege.policy | alter_policy | ALTER POLICY p ON t USING (true)
privilege.policy | drop_policy | DROP POLICY p ON t
privilege.policy | alter_table | ALTER TABLE t DISABLE ROW LEVEL SECURITY
privilege.policy | alter_table | ALTER TABLE t NO FORCE ROW LEVEL SECURITY
privilege.security_label | security_label | SECURITY LABEL FOR x ON TABLE t IS 'y'
server.copy_file | copy | COPY t TO '/tmp/x'
server.copy_file | copy | COPY t FROM '/etc/passwd'
server.copy_file | copy | COPY (SELECT * FROM t) TO '/tmp/x'
server.copy_program | copy | COPY t FROM PROGRAM 'id'
server.copy_program | copy | COPY (SELECT 1) TO PROGRAM 'sh'
server.load | load | LOAD 'x'
server.load | create_function | CREATE FUNCTION f() RETURNS int LANGUAGE c AS '/tmp/x.so', 'f'
server.load | create_function | CREATE FUNCTION f() RETURNS int LANGUAGE "internal" AS 'x'
server.language | create_function | CREATE FUNCTION f() RETURNS int LANGUAGE plpython3u AS 'x'
server.language | create_language | CREATE TRUSTED LANGUAGE x HANDLER h
server.extension | create_extension | CREATE EXTENSION dblink
server.extension | alter_extension | ALTER EXTENSION x UPDATE
server.extension | alter_extension | ALTER EXTENSION x ADD TABLE t
server.extension | drop_extension | DROP EXTENSION x
server.alter_system | alter_system | ALTER SYSTEM SET archive_command = 'x'
server.foreign | create_foreign_data_wrapper | CREATE FOREIGN DATA WRAPPER w
server.foreign | alter_foreign_data_wrapper | ALTER FOREIGN DATA WRAPPER w OPTIONS (ADD a 'b')
server.foreign | create_server | CREATE SERVER s FOREIGN DATA WRAPPER w
server.foreign | alter_server | ALTER SERVER s OPTIONS (host 'x')
server.foreign | create_user_mapping | CREATE USER MAPPING FOR u SERVER s OPTIONS (password 'x')
server.foreign | alter_user_mapping | ALTER USER MAPPING FOR u SERVER s OPTIONS (password 'x')
server.foreign | drop_user_mapping | DROP USER MAPPING FOR u SERVER s
server.foreign | create_foreign_table | CREATE FOREIGN TABLE t (a int) SERVER s
server.foreign | import_foreign_schema | IMPORT FOREIGN SCHEMA a FROM SERVER s INTO b
server.foreign | alter_foreign_table | ALTER FOREIGN TABLE t OPTIONS (SET a 'b')
server.foreign | drop_foreign_table | DROP FOREIGN TABLE t
server.subscription | create_subscription | CREATE SUBSCRIPTION s CONNECTION 'host=x password=y' PUBLICATION p
server.subscription | alter_subscription | ALTER SUBSCRIPTION s DISABLE
server.subscription | drop_subscription | DROP SUBSCRIPTION s
server.publication | create_publication | CREATE PUBLICATION p FOR TABLE t WHERE (a > 1)
server.publication | alter_publication | ALTER PUBLICATION p ADD TABLE u
server.database | create_database | CREATE DATABASE d
server.database | alter_database | ALTER DATABASE d CONNECTION LIMIT 1
server.database | alter_database | ALTER DATABASE d REFRESH COLLATION VERSION
server.database | alter_database_set | ALTER DATABASE d SET work_mem = '1GB'
server.database | drop_database | DROP DATABASE d
server.database | rename | ALTER DATABASE d RENAME TO e
server.tablespace | create_tablespace | CREATE TABLESPACE s LOCATION '/x'
server.tablespace | alter_tablespace | ALTER TABLESPACE s SET (random_page_cost = 1)
server.tablespace | drop_tablespace | DROP TABLESPACE s
server.tablespace | move_all | ALTER TABLE ALL IN TABLESPACE a SET TABLESPACE b
server.access_method | create_access_method | CREATE ACCESS METHOD a TYPE INDEX HANDLER h
server.event_trigger | create_event_trigger | CREATE EVENT TRIGGER e ON ddl_command_start EXECUTE FUNCTION f()
server.event_trigger | alter_event_trigger | ALTER EVENT TRIGGER e DISABLE
server.checkpoint | checkpoint | CHECKPOINT
server.setting | set | SET session_replication_role = replica
server.setting | set | SET log_statement = 'none'
server.function | select | SELECT pg_read_file('/etc/passwd')
server.function | select | SELECT * FROM pg_ls_dir('.')
server.function | select | SELECT lo_import('/etc/passwd')
server.function | select | SELECT lo_export(1, '/tmp/x')
server.function | select | SELECT pg_terminate_backend(1)
server.function | select | SELECT pg_reload_conf()
server.function | select | SELECT pg_rotate_logfile()
server.function | select | SELECT pg_logical_slot_get_changes('s', NULL, NULL)
server.function | select | SELECT pg_switch_wal(), pg_stat_reset(), pg_backup_start('x')
server.catalog | update | UPDATE pg_catalog.pg_class SET relname = 'x' WHERE oid = 1
server.catalog | delete | DELETE FROM pg_authid WHERE rolname = 'x'
dynamic.do | do | DO $$ BEGIN DELETE FROM t; END $$
dynamic.function | select | SELECT query_to_xml('DELETE FROM t', true, true, '')
dynamic.function | select | SELECT table_to_xml('customers', true, true, '')
dynamic.function | select | SELECT database_to_xml(true, true, '')
dynamic.function | select | SELECT * FROM dblink('host=x', 'SELECT 1') AS t(a int)
dynamic.function | select | SELECT public.dblink_exec('DELETE FROM t')
dynamic.function | select | SELECT * FROM ts_stat('SELECT v FROM t')
dynamic.function | select | SELECT * FROM crosstab('SELECT 1') AS c(a int)
dynamic.function | explain | EXPLAIN SELECT table_to_xml('customers', true, true, '')
session.begin | begin | BEGIN
session.begin | begin | START TRANSACTION ISOLATION LEVEL SERIALIZABLE READ ONLY
session.commit | commit | COMMIT
session.commit | commit | END
session.rollback | rollback | ROLLBACK
session.rollback | rollback | ABORT
session.rollback | rollback_to | ROLLBACK TO SAVEPOINT s
session.savepoint | savepoint | SAVEPOINT s
session.savepoint | release | RELEASE SAVEPOINT s
session.set | set | SET statement_timeout = '1s'
session.set | set | SET LOCAL work_mem TO '1MB'
session.set | set | SET TIME ZONE 'UTC'
session.set | set | SET TRANSACTION ISOLATION LEVEL REPEATABLE READ
session.set | set | SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY
session.set | set_constraints | SET CONSTRAINTS ALL DEFERRED
session.set | set | SET client_encoding = 'UTF8'
session.set | set | SET NAMES 'utf-8'
session.set | set | SET standard_conforming_strings = on
session.reset | reset | RESET ALL
session.reset | reset | RESET work_mem
session.reset | set | SET work_mem TO DEFAULT
session.show | show | SHOW ALL
session.show | show | SHOW TIME ZONE
session.set_path | set | SET search_path = a, b
session.set_path | set | SET SCHEMA 'x'
session.set_path | reset | RESET search_path
session.set_parsing | set | SET standard_conforming_strings = off
session.set_parsing | set | SET backslash_quote = on
session.set_parsing | set | SET client_encoding = 'SJIS'
session.set_parsing | set | SET NAMES 'BIG5'
session.set_parsing | reset | RESET client_encoding
session.set_parsing | set | SET client_encoding TO DEFAULT
session.listen | listen | LISTEN c
session.unlisten | unlisten | UNLISTEN *
session.notify | notify | NOTIFY c, 'x'
session.notify | select | SELECT pg_notify('c', 'x')
session.discard | discard | DISCARD ALL
session.deallocate | deallocate | DEALLOCATE ALL
session.close | close | CLOSE c
session.fetch | fetch | FETCH 10 FROM c
session.fetch | move | MOVE ALL IN c
session.execute | execute | EXECUTE p(1)
session.execute | explain | EXPLAIN ANALYZE EXECUTE p
ddl.create | create_table_as | CREATE TABLE x AS EXECUTE p
maintenance.vacuum | vacuum | VACUUM (FULL) t
maintenance.analyze | analyze | ANALYZE t
maintenance.reindex | reindex | REINDEX TABLE t
maintenance.cluster | cluster | CLUSTER t USING i
session.empty | - |
session.empty | - | -- only a comment
session.empty | - | ; ;
`
  .trim()
  .split('\n')
  .map(
    (line) =>
      /^(\S+) \| (\S+) \|(.*)$/
        .exec(line)!
        .slice(1)
        .map((part) => part.trim()) as [string, string, string],
  );

describe('what a statement is', () => {
  it.each(STATEMENTS)('%s: %s: %s', (className, kind, sql) => {
    const operation = fromPostgres(sql);
    expect(operation.problem).toBeUndefined();
    expect(operation.class).toBe(`postgres.${className}`);
    expect(operation.statements[0]?.kind ?? '-').toBe(kind);
    expect(operation.classes).toContain(operation.class);
    expect(operation.statements.flatMap(({ unresolved }) => unresolved).filter((reason) => reason.startsWith('node:'))).toEqual([]);
  });

  it('P2: every statement of the grammar has a rule', () => {
    expect(Object.keys(RULES).sort()).toEqual([...STATEMENT_TAGS].sort());
  });

  it('the statements above reach every rule that a client can reach', () => {
    const unreachable = ['RawStmt', 'SetOperationStmt', 'ReturnStmt', 'PLAssignStmt', 'ReplicaIdentityStmt'];
    const kinds = new Set(STATEMENTS.map(([, kind]) => kind));
    expect(kinds.size).toBeGreaterThan(STATEMENT_TAGS.length - unreachable.length - 10);
  });

  it('P2: what is not SQL is unparseable, and says why without quoting it', () => {
    for (const sql of ['SELEC 1', 'SELECT (', "SELECT 'secret", 'DROP', 'SELECT 1; SELEC secret', '\\d', 'SELECT "', '/* open']) {
      const operation = fromPostgres(sql);
      expect(operation).toMatchObject({
        parseable: false,
        class: 'postgres.unparseable',
        classes: ['postgres.unparseable'],
        statements: [],
      });
      expect(operation).toMatchObject({ fingerprint: '', normalized: '', problem: 'syntax: syntax error' });
    }
  });

  it('a string is as demanding as its most demanding statement, and keeps every class', () => {
    const operation = fromPostgres('BEGIN; SELECT 1; DELETE FROM t; DROP TABLE t; COMMIT');
    expect(operation.class).toBe('postgres.ddl.drop');
    expect(operation.classes).toEqual([
      'postgres.ddl.drop',
      'postgres.read',
      'postgres.session.begin',
      'postgres.session.commit',
      'postgres.write.delete',
    ]);
    expect(operation.statements.map(({ kind }) => kind)).toEqual(['begin', 'select', 'delete', 'drop_table', 'commit']);
  });
});

describe('tables', () => {
  const tables = (sql: string): string =>
    fromPostgres(sql)
      .statements.flatMap((statement) => statement.tables)
      .map(({ schema, name, access }) => `${schema === null ? '' : `${schema}.`}${name}:${access}`)
      .sort()
      .join(' ');

  it.each([
    ['SELECT * FROM a JOIN s.b USING (id), LATERAL (SELECT * FROM c) x', 'a:read c:read s.b:read'],
    ['SELECT (SELECT max(x) FROM b) FROM a WHERE EXISTS (SELECT FROM c)', 'a:read b:read c:read'],
    ['WITH x AS (SELECT * FROM a) SELECT * FROM x', 'a:read'],
    ['WITH a AS (SELECT * FROM a) SELECT * FROM a', 'a:read'],
    ['WITH RECURSIVE a AS (SELECT * FROM a) SELECT * FROM a', ''],
    ['WITH x AS (SELECT * FROM y), y AS (SELECT 1) SELECT * FROM x, y', 'y:read'],
    ['WITH RECURSIVE x AS (SELECT * FROM y), y AS (SELECT 1) SELECT * FROM x, y', ''],
    ['WITH x AS (SELECT 1) SELECT * FROM s.x', 's.x:read'],
    ['SELECT * FROM (WITH x AS (SELECT 1) SELECT * FROM x) q, x', 'x:read'],
    ['WITH x AS (SELECT 1) SELECT * FROM (SELECT * FROM x) q', ''],
    ['WITH t AS (SELECT 1 AS id) DELETE FROM t USING t AS u WHERE u.id = 1', 't:read t:write'],
    ['WITH t AS (SELECT 1) INSERT INTO t SELECT * FROM t', 't:write'],
    ['SELECT * FROM a UNION SELECT * FROM b EXCEPT SELECT * FROM c', 'a:read b:read c:read'],
    ['SELECT * FROM ONLY a', 'a:read'],
    ['SELECT * FROM "A.b"."C d"', 'A.b.C d:read'],
    ['SELECT * FROM a FOR UPDATE OF a', 'a:read'],
    ['INSERT INTO a SELECT * FROM b', 'a:write b:read'],
    ['INSERT INTO a VALUES ((SELECT max(id) FROM b)) RETURNING id', 'a:read a:write b:read'],
    ['UPDATE a SET x = (SELECT 1 FROM b) FROM c', 'a:write b:read c:read'],
    ['UPDATE a SET x = y', 'a:read a:write'],
    ['DELETE FROM a USING b', 'a:write b:read'],
    ['MERGE INTO a USING (SELECT * FROM b) s ON a.id = s.id WHEN MATCHED THEN DELETE', 'a:read a:write b:read'],
    ['COPY a TO STDOUT', 'a:read'],
    ['COPY a FROM STDIN', 'a:write'],
    ['COPY (SELECT * FROM a) TO STDOUT', 'a:read'],
    ['TRUNCATE a, s.b', 'a:write s.b:write'],
    ['LOCK TABLE a', 'a:read'],
    ['SELECT * INTO a FROM b', 'a:write b:read'],
    ['CREATE TABLE a AS SELECT * FROM b', 'a:write b:read'],
    ['CREATE TABLE a (LIKE b) INHERITS (c)', 'a:write b:read c:read'],
    ['CREATE VIEW a AS SELECT * FROM b', 'a:write b:read'],
    ['CREATE RULE r AS ON INSERT TO a DO INSTEAD (DELETE FROM b; INSERT INTO c VALUES (1))', 'a:write b:write c:write'],
    ['DROP TABLE a, s.b', 'a:write s.b:write'],
    ['DROP TRIGGER g ON s.a', 's.a:write'],
    ['COMMENT ON COLUMN s.a.x IS NULL', 's.a:write'],
    ['ALTER TABLE s.a DROP COLUMN x', 's.a:write'],
    ['GRANT SELECT ON a TO r', 'a:write'],
    ['CREATE INDEX ON a (x)', 'a:write'],
    ['VACUUM a', 'a:write'],
    ['EXPLAIN DELETE FROM a USING b', 'a:read b:read'],
    ['EXPLAIN ANALYZE DELETE FROM a', 'a:write'],
    ['PREPARE p AS DELETE FROM a', 'a:write'],
    ['DECLARE c CURSOR FOR SELECT * FROM a', 'a:read'],
    ['CREATE FUNCTION f() RETURNS void BEGIN ATOMIC DELETE FROM a; INSERT INTO b SELECT * FROM c; END', 'a:write b:write c:read'],
    ['CREATE SCHEMA s CREATE TABLE a (x int) CREATE VIEW v AS SELECT * FROM b', 'a:write b:read v:write'],
    ['CREATE POLICY p ON a USING (x IN (SELECT y FROM b))', 'a:write b:read'],
  ])('%s', (sql, expected) => {
    expect(tables(sql)).toBe(expected);
  });
});

describe('the other facts', () => {
  const facts = (sql: string) => fromPostgres(sql).statements[0]!;

  it.each([
    ['SELECT lower(a), s.f(b), count(*) FROM g(1)', ['count', 'g', 'lower', 's.f']],
    ['SELECT a FROM t ORDER BY h(a) LIMIT i()', ['h', 'i']],
    ['SELECT extract(year FROM now())', ['extract', 'now']],
    ['CALL s.p(f(1))', ['f', 's.p']],
    ['CREATE TRIGGER g BEFORE INSERT ON t EXECUTE FUNCTION s.f()', ['s.f']],
  ])('functions of %s', (sql, expected) => {
    expect(facts(sql).functions).toEqual(expected);
  });

  it.each([
    ['SELECT * FROM t FOR SHARE', 'for share'],
    ['SELECT * FROM (SELECT * FROM t FOR UPDATE) x, (SELECT * FROM u FOR SHARE) y', 'for update'],
    ['LOCK TABLE t', 'access exclusive'],
    ['LOCK TABLE t IN SHARE ROW EXCLUSIVE MODE', 'share row exclusive'],
    ['LOCK TABLE t IN ACCESS SHARE MODE', 'access share'],
    ['SELECT 1', null],
  ])('locks of %s', (sql, expected) => {
    expect(facts(sql).locks).toBe(expected);
  });

  it.each([
    ['SET work_mem = 1', { setting: 'work_mem' }],
    ['SET "Work_Mem" = 1', { setting: 'work_mem' }],
    ['SHOW "Search_Path"', { setting: 'search_path' }],
    ["SELECT set_config('app.tenant', $1, true)", { setting: 'app.tenant' }],
    ['SAVEPOINT s', { name: 's' }],
    ['EXECUTE p', { name: 'p' }],
    ['CREATE TABLE x AS EXECUTE p', { name: 'p' }],
    ['DECLARE c CURSOR FOR SELECT 1', { name: 'c' }],
    ['FETCH c', { name: 'c' }],
    ['COPY t FROM STDIN', { copy: 'stdin' }],
    ['COPY t TO STDOUT', { copy: 'stdout' }],
    ["COPY t TO '/x'", { copy: 'file' }],
    ["COPY t TO PROGRAM 'x'", { copy: 'program' }],
    ['SELECT 1 LIMIT 10', { limit: 10 }],
    ['SELECT 1 LIMIT 0', { limit: 0 }],
    ['SELECT 1 FETCH FIRST 5 ROWS ONLY', { limit: 5 }],
  ])('%s says %j', (sql, expected) => {
    expect(facts(sql)).toMatchObject(expected);
  });

  it.each([
    'SELECT 1 LIMIT $1',
    'SELECT 1 LIMIT ALL',
    'SELECT 1 LIMIT 1 + 1',
    'SELECT 1 ORDER BY 1 FETCH FIRST 5 ROWS WITH TIES',
    'SELECT * FROM (SELECT 1 LIMIT 1) x',
  ])('%s has no constant limit', (sql) => {
    expect(facts(sql).limit).toBeUndefined();
  });

  it.each([
    ['SELECT * FROM f()', ['function:f']],
    ['SELECT * FROM ROWS FROM (s.f(1), generate_series(1, 2))', ['function:s.f']],
    ['EXECUTE p', ['execute:p']],
    ['SELECT 1 OPERATOR(s.+) 2', ['operator:s.+']],
    ['SELECT most_common_vals FROM pg_stats', ['statistics:pg_stats']],
    ['SELECT * FROM pg_toast.pg_toast_1', ['statistics:pg_toast.pg_toast_1']],
    ['SELECT * FROM generate_series(1, 2)', []],
  ])('%s leaves open %j', (sql, expected) => {
    expect(facts(sql).unresolved).toEqual(expected);
  });
});
