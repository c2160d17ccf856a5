import fc from 'fast-check';
import { fromPostgres, loadParser } from '../index.js';

beforeAll(loadParser);

const normalized = (sql: string) => {
  const operation = fromPostgres(sql);
  expect(operation.problem).toBeUndefined();
  return operation.normalized;
};

/** Every place where a literal can stand; @ is the literal. */
const PLACES = [
  'SELECT @',
  'SELECT * FROM t WHERE a = @ AND b IN (@, @) LIMIT 10',
  'INSERT INTO t VALUES (@, 1), (@, 2)',
  'UPDATE t SET a = @ WHERE b = @',
  'CREATE ROLE x PASSWORD @',
  'CREATE USER x ENCRYPTED PASSWORD @ VALID UNTIL @',
  'ALTER ROLE x PASSWORD @',
  'ALTER ROLE x SET app.token = @',
  'ALTER DATABASE d SET app.token = @',
  'ALTER SYSTEM SET primary_conninfo = @',
  'SET app.token = @',
  'SET LOCAL app.token TO @, @',
  'SET SESSION AUTHORIZATION @',
  'SET TIME ZONE @',
  "SELECT set_config('app.token', @, false)",
  'COPY t TO STDOUT WITH (FORMAT csv, DELIMITER @, NULL @)',
  'COPY t FROM @',
  'COPY t TO PROGRAM @',
  'COPY t FROM STDIN CSV QUOTE @ ESCAPE @ NULL @',
  'DO @',
  'DO LANGUAGE plpgsql @',
  'CREATE FUNCTION f() RETURNS text LANGUAGE sql AS @',
  'CREATE FUNCTION f() RETURNS text LANGUAGE sql SET a.b = @ AS @',
  'CREATE FUNCTION f(a text DEFAULT @) RETURNS text LANGUAGE sql RETURN @',
  'COMMENT ON TABLE t IS @',
  'SECURITY LABEL ON TABLE t IS @',
  'NOTIFY c, @',
  'CREATE SUBSCRIPTION s CONNECTION @ PUBLICATION p',
  'ALTER SUBSCRIPTION s CONNECTION @',
  'CREATE USER MAPPING FOR u SERVER s OPTIONS (user @, password @)',
  'CREATE SERVER s TYPE @ VERSION @ FOREIGN DATA WRAPPER w OPTIONS (host @)',
  'CREATE TABLESPACE s LOCATION @',
  'CREATE TYPE e AS ENUM (@, @)',
  'ALTER TYPE e ADD VALUE @',
  'LOAD @',
  'PREPARE TRANSACTION @',
  'COMMIT PREPARED @',
  'PREPARE p AS SELECT @',
  'EXECUTE p(@)',
  'DECLARE c CURSOR FOR SELECT @',
  'EXPLAIN SELECT @',
  'CREATE VIEW v AS SELECT @::text',
  'CREATE TABLE t (a text DEFAULT @ CHECK (a <> @))',
  'CREATE RULE r AS ON INSERT TO t DO NOTIFY x, @',
  'CREATE POLICY p ON t USING (a = @)',
  'SELECT interval @, date @, @::int, x @> @, a LIKE @ ESCAPE @',
  "SELECT json_value('{}', @)",
  'SELECT * FROM json_table(@, @ COLUMNS (a int PATH @))',
  'SELECT xmlelement(name a, xmlattributes(@ AS b), @)',
  'SELECT 1 -- @',
  'SELECT 1 /* @ */',
  'SELECT 1 /* /* @ */ @ */ + 2',
  'CALL p(@)',
  'SET TRANSACTION SNAPSHOT @',
];

const SECRET = 'hunter2';
const SPELLINGS = [
  `'${SECRET}'`,
  `E'${SECRET}\\n\\''`,
  `'it''s ${SECRET}'`,
  `$$${SECRET}$$`,
  `$tag$ $$ ${SECRET} $tag$`,
  `U&'${SECRET}\\0041'`,
  `'a'\n  '${SECRET}'`,
  `E'a'\n  'c\\'${SECRET}'`,
  `'ü😀\u2028${SECRET}'`,
];

describe('P3: the recorded text holds no literal', () => {
  it.each(PLACES)('%s', (place) => {
    let tried = 0;
    for (const spelling of SPELLINGS) {
      const operation = fromPostgres(place.replaceAll('@', (found, at: number) => (place[at + 1] === '>' ? found : spelling)));
      expect(JSON.stringify(operation)).not.toContain(SECRET);
      if (operation.parseable) tried++;
    }
    expect(tried).toBeGreaterThan(0);
  });

  it('words that a setting takes as its value are literals too', () => {
    expect(normalized(`SET app.token = ${SECRET}`)).toBe('SET app.token = $1');
    expect(normalized(`SET app.token = "${SECRET}"`)).toBe('SET app.token = $1');
    expect(normalized(`SELECT 'ü'; SET app.token TO ${SECRET}, other`)).toBe('SELECT $1; SET app.token TO $2, $3');
    expect(normalized(`ALTER ROLE x SET app.token TO ${SECRET}`)).toBe('ALTER ROLE x SET app.token TO $1');
    expect(normalized(`CREATE FUNCTION f() RETURNS int LANGUAGE sql SET a.b = ${SECRET} AS ''`)).not.toContain(SECRET);
    expect(normalized('SET ROLE admin')).toBe('SET ROLE admin');
    expect(normalized("SET ROLE 'admin'")).toBe('SET ROLE $1');
    expect(normalized('SET search_path = a, b')).toBe('SET search_path = a, b');
  });

  it.each([
    ['SELECT  a ,\n b FROM t -- c', 'SELECT a , b FROM t'],
    ['SELECT 1, 2.5e3, 0x1F, 1_000, -4', 'SELECT $1, $2, $3, $4, -$5'],
    ["SELECT $1, 'a', $3", 'SELECT $1, $4, $3'],
    ["SELECT b'101', x'ff', n'z'", 'SELECT $1, $2, $3'],
    ['SELECT "a b"."c""d" AS "e"', 'SELECT "a b"."c""d" AS "e"'],
    ['SELECT a/**/+/**/b', 'SELECT a + b'],
    ['SELECT 1;SELECT 2', 'SELECT $1;SELECT $2'],
    ['', ''],
    ['-- x', ''],
  ])('%s becomes %s', (sql, expected) => {
    expect(normalized(sql)).toBe(expected);
  });

  it('any literal, anywhere', () => {
    const literal = fc
      .string({ unit: 'binary', minLength: 1, maxLength: 20 })
      .filter((text) => !text.includes('\0') && !/\p{Surrogate}/u.test(text));
    fc.assert(
      fc.property(
        literal,
        fc.constantFrom('SELECT @ FROM t', 'ALTER ROLE x PASSWORD @', 'COPY t FROM @', 'SET a.b = @', 'COMMENT ON TABLE t IS @'),
        (value, place) => {
          const marked = `${SECRET}${value}${SECRET}`;
          const operation = fromPostgres(place.replace('@', () => `'${marked.replaceAll("'", "''")}'`));
          expect(operation.normalized).not.toContain(SECRET);
        },
      ),
      { numRuns: 300 },
    );
  });
});

describe('the fingerprint', () => {
  const fingerprint = (sql: string) => fromPostgres(sql).fingerprint;

  it('is equal for statements that differ in literals only', () => {
    expect(fingerprint('SELECT a FROM t WHERE b = 1')).toBe(fingerprint("select a\nfrom t where b = 'x' -- y"));
    expect(fingerprint('SELECT a FROM t WHERE b = 1')).not.toBe(fingerprint('SELECT a FROM t WHERE c = 1'));
    expect(fingerprint('SELECT a')).toMatch(/^[0-9a-f]{16}$/);
  });

  it('P3: says nothing of a password, so that a guess cannot be checked against it', () => {
    expect(fingerprint("CREATE ROLE x PASSWORD 'a'")).toBe(fingerprint("CREATE ROLE x PASSWORD 'b'"));
    expect(fingerprint("SELECT 1; ALTER ROLE x PASSWORD 'a'")).toBe(fingerprint("SELECT 2; ALTER ROLE x PASSWORD 'b'"));
    expect(fingerprint("CREATE SUBSCRIPTION s CONNECTION 'a' PUBLICATION p")).toBe(
      fingerprint("CREATE SUBSCRIPTION s CONNECTION 'b' PUBLICATION p"),
    );
  });
});
