SELECT true, false, NULL::boolean

SELECT 32767::smallint, (-32768)::smallint, 2147483647, 9223372036854775807, (-9223372036854775808)::bigint

SELECT 1.5::real, 'NaN'::real, 'Infinity'::double precision, '-Infinity'::double precision, 1e-300::double precision, 0.1::real::double precision

SELECT 0::numeric, 123456789012345678901234567890.123456789, 'NaN'::numeric, 'Infinity'::numeric, 1e100::numeric, 0.000000001::numeric(20, 15)

SELECT 1234.56::numeric(6, 2), '12.34'::money::numeric

SELECT 'plain', ''::text, 'é ☂ 𝄞'::text, 'x'::char, 'ab'::char(5), 'ab'::varchar(5), 'name'::name, '"char"'::"char"

SELECT E'a\tb\nc\\d', $$dollar 'quoted'$$, $tag$ with $$ inside $tag$, U&'\00e9\2602', 'a' 'b'

SELECT 'continued'
  ' over lines'

SELECT '\x00010203ff'::bytea, ''::bytea, 'abc'::bytea, E'\\\\'::bytea

SELECT B'1010', X'1F', '101'::bit(3), '10101'::varbit(8)

SELECT DATE '2024-02-29', '0044-03-15 BC'::date, 'infinity'::date, '-infinity'::timestamp, '5874897-12-31'::date

SELECT TIME '23:59:59.999999', '24:00:00'::time, '12:00:00+05:30'::timetz

SELECT TIMESTAMP '2024-01-01 00:00:00.000001', TIMESTAMPTZ '2024-06-01 12:00:00+02', 'epoch'::timestamptz

SELECT INTERVAL '1 year 2 months 3 days 04:05:06.789', '-1 day'::interval, 'P1Y2M3DT4H5M6S'::interval, '0'::interval

SELECT '6f8c1e9a-2b1d-4c59-9c2e-0a8f6f2b7d11'::uuid

SELECT '192.168.0.1/24'::inet, '::1'::inet, '10.0.0.0/8'::cidr, '08:00:2b:01:02:03'::macaddr, '08:00:2b:01:02:03:04:05'::macaddr8

SELECT '(1,2)'::point, '{1,2,3}'::line, '[(0,0),(1,1)]'::lseg, '(1,1),(0,0)'::box, '[(0,0),(1,1),(2,0)]'::path, '((0,0),(1,1),(2,0))'::polygon, '<(0,0),5>'::circle

SELECT '{"a": [1, 2, {"b": null}], "c": "☂"}'::json, '{"b": 1, "a": 2, "a": 3}'::jsonb, 'null'::jsonb, '"s"'::jsonb, '1e3'::jsonb

SELECT '{"a": {"b": [10, 20]}}'::jsonb #> '{a,b,1}', '{"a": 1}'::jsonb ->> 'a', jsonb_path_query('{"x": [1,2,3]}', '$.x[*] ? (@ > 1)')

SELECT '$.a[*] ? (@ > 2)'::jsonpath

SELECT '<a b="c">text</a>'::xml IS DOCUMENT

SELECT ARRAY[1, 2, NULL, 4], '{}'::int[], ARRAY[[1, 2], [3, 4]], '[2:3]={7,8}'::int[], ARRAY['a', 'b,c', 'd"e', NULL, '']

SELECT ARRAY['{"a":1}'::jsonb], ARRAY[NULL::int], ARRAY[true, false], ARRAY['2024-01-01'::date], ARRAY['\x01'::bytea]

SELECT int4range(1, 10), int8range(NULL, 5, '[]'), numrange(1.5, 2.5, '()'), daterange('2024-01-01', NULL), 'empty'::tsrange, tstzrange('2024-01-01 00:00+00', '2024-01-02 00:00+00')

SELECT '{[1,3),[5,7)}'::int4multirange, '{}'::nummultirange

SELECT ROW(1, 'a', NULL), ROW(), ROW(ROW(1), ARRAY[2])

--> not binary
SELECT (1, 2, 'label')::point3, ARRAY[(1, 2, 'a')::point3, NULL], (ROW(1, 2, 'x')::point3).label

--> not binary
SELECT 'happy'::mood, ARRAY['sad', 'ok']::mood[], 5::positive

--> not binary
SELECT p FROM people p ORDER BY id

SELECT to_tsvector('english', 'The quick brown foxes'), to_tsquery('english', 'quick & fox'), 'a:1A b:2'::tsvector

SELECT 'pg_class'::regclass, 'int4'::regtype, 'now'::regproc, 'abs(integer)'::regprocedure, '+(integer,integer)'::regoperator

SELECT 1::oid, '0/16B3748'::pg_lsn, '10:20:10,14'::txid_snapshot, '(0,1)'::tid

SELECT 'xid'::text, '123'::xid, '5'::cid, '123'::xid8

SELECT ARRAY[1, 2]::oidvector, '1 2'::int2vector

SELECT NULL::int, NULL::text, NULL::bytea, NULL::jsonb, NULL::point3, NULL::int[], NULL::mood, NULL::int4range

SELECT NULL

SELECT 'unknown literal'

SELECT array_agg(i), string_agg(i::text, ','), jsonb_agg(i), json_object_agg(i, i * i) FROM generate_series(1, 5) i

SELECT repeat('x', 1000), repeat('☂', 3000), decode(repeat('ff', 5000), 'hex')

SELECT 'a'::aclitem

SELECT relacl FROM pg_class WHERE relname = 'pg_class'

SELECT proargtypes, proargnames FROM pg_proc WHERE proname = 'fails'

SELECT int4send(1), textsend('abc'), numeric_send(1.5)

SELECT pg_typeof(1), pg_typeof('x'), pg_typeof(NULL), pg_typeof(ARRAY[1.5])

SELECT void FROM (SELECT pg_sleep(0)) AS v(void)

SELECT '1'::cstring

SELECT 'trigger'::trigger

SET bytea_output = 'escape'

SELECT '\x00010203ff'::bytea

SET DateStyle = 'German, DMY'

SELECT DATE '2024-02-29', TIMESTAMPTZ '2024-06-01 12:00:00+02'

SET IntervalStyle = 'iso_8601'

SELECT INTERVAL '1 year 2 months 3 days 04:05:06.789'

SET extra_float_digits = 0

SELECT 0.1::double precision + 0.2::double precision

SET TimeZone = 'Asia/Kolkata'

SELECT TIMESTAMPTZ '2024-06-01 12:00:00+02'

RESET ALL

SELECT DATE '2024-02-29', INTERVAL '1 day'
