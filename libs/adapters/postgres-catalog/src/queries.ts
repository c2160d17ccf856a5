/** Every query names its objects with their schema: the search_path of the connection is the session's to choose. */

/** Changes with any committed change of a relation, column, rule, function, operator, or inheritance that isn't temporary. */
export const FINGERPRINT = `
SELECT pg_catalog.concat_ws('/',
  (SELECT pg_catalog.sum(pg_catalog.hashint8extended(c.xmin::text::int8, c.oid::int8)) FROM pg_catalog.pg_class c
    WHERE c.oid OPERATOR(pg_catalog.>=) 16384 AND c.relpersistence OPERATOR(pg_catalog.<>) 't'),
  (SELECT pg_catalog.sum(pg_catalog.hashint8extended(a.xmin::text::int8, a.attrelid::int8 OPERATOR(pg_catalog.*) 2048 OPERATOR(pg_catalog.+) a.attnum))
     FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid OPERATOR(pg_catalog.=) a.attrelid
    WHERE c.oid OPERATOR(pg_catalog.>=) 16384 AND c.relpersistence OPERATOR(pg_catalog.<>) 't' AND a.attnum OPERATOR(pg_catalog.>) 0),
  (SELECT pg_catalog.sum(pg_catalog.hashint8extended(r.xmin::text::int8, r.oid::int8)) FROM pg_catalog.pg_rewrite r WHERE r.oid OPERATOR(pg_catalog.>=) 16384),
  (SELECT pg_catalog.sum(pg_catalog.hashint8extended(p.xmin::text::int8, p.oid::int8)) FROM pg_catalog.pg_proc p WHERE p.oid OPERATOR(pg_catalog.>=) 16384),
  (SELECT pg_catalog.sum(pg_catalog.hashint8extended(o.xmin::text::int8, o.oid::int8)) FROM pg_catalog.pg_operator o WHERE o.oid OPERATOR(pg_catalog.>=) 16384),
  (SELECT pg_catalog.sum(pg_catalog.hashint8extended(d.xmin::text::int8, d.oid::int8)) FROM pg_catalog.pg_attrdef d),
  (SELECT pg_catalog.sum(pg_catalog.hashint8extended(i.xmin::text::int8, i.inhrelid::int8)) FROM pg_catalog.pg_inherits i),
  (SELECT pg_catalog.sum(pg_catalog.hashint8extended(n.xmin::text::int8, n.oid::int8)) FROM pg_catalog.pg_namespace n
    WHERE n.nspname OPERATOR(pg_catalog.!~~) 'pg\\_%')
) AS fingerprint`;

/** $1 schema, $2 table. */
export const TABLE = `
SELECT c.oid::int8 AS oid FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
 WHERE n.nspname OPERATOR(pg_catalog.=) $1::name AND c.relname OPERATOR(pg_catalog.=) $2::name AND c.relkind OPERATOR(pg_catalog.=) ANY ('{r,p,v,m,f}')`;

/** $1 table OID, $2 column: the column in the table, its descendants and its ancestors, and what is generated from it there. */
export const PLACES = `
WITH RECURSIVE down(oid) AS (
  SELECT $1::oid UNION SELECT i.inhrelid FROM pg_catalog.pg_inherits i JOIN down ON i.inhparent OPERATOR(pg_catalog.=) down.oid
), up(oid) AS (
  SELECT $1::oid UNION SELECT i.inhparent FROM pg_catalog.pg_inherits i JOIN up ON i.inhrelid OPERATOR(pg_catalog.=) up.oid
), own AS (
  SELECT a.attrelid, a.attnum FROM pg_catalog.pg_attribute a JOIN (SELECT oid FROM down UNION SELECT oid FROM up) family ON a.attrelid OPERATOR(pg_catalog.=) family.oid
   WHERE a.attname OPERATOR(pg_catalog.=) $2::name AND a.attnum OPERATOR(pg_catalog.>) 0 AND NOT a.attisdropped
), derived AS (
  SELECT g.attrelid, g.attnum FROM own
    JOIN pg_catalog.pg_attribute g ON g.attrelid OPERATOR(pg_catalog.=) own.attrelid AND g.attgenerated OPERATOR(pg_catalog.<>) '' AND NOT g.attisdropped
    JOIN pg_catalog.pg_attrdef ad ON ad.adrelid OPERATOR(pg_catalog.=) g.attrelid AND ad.adnum OPERATOR(pg_catalog.=) g.attnum
    JOIN pg_catalog.pg_depend d ON d.refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_class'::pg_catalog.regclass
     AND d.refobjid OPERATOR(pg_catalog.=) own.attrelid AND d.refobjsubid OPERATOR(pg_catalog.=) own.attnum
     AND ((d.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_attrdef'::pg_catalog.regclass AND d.objid OPERATOR(pg_catalog.=) ad.oid)
       OR (d.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid OPERATOR(pg_catalog.=) g.attrelid
           AND d.objsubid OPERATOR(pg_catalog.=) g.attnum))
)
SELECT p.attrelid::int8 AS table, p.attnum AS attribute, n.nspname AS schema, c.relname AS name, pg_catalog.bool_and(p.derived) AS derived
  FROM (SELECT attrelid, attnum, false AS derived FROM own UNION ALL SELECT attrelid, attnum, true FROM derived) p
  JOIN pg_catalog.pg_class c ON c.oid OPERATOR(pg_catalog.=) p.attrelid
  JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
 GROUP BY 1, 2, 3, 4`;

/** $1 table OIDs: bare names of the views and materialized views that are built on them, at any depth. */
export const DEPENDENTS = `
WITH RECURSIVE reach(oid) AS (
  SELECT pg_catalog.unnest($1::oid[])
  UNION
  SELECT r.ev_class FROM reach
    JOIN pg_catalog.pg_depend d ON d.refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_class'::pg_catalog.regclass AND d.refobjid OPERATOR(pg_catalog.=) reach.oid
     AND d.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_rewrite'::pg_catalog.regclass
    JOIN pg_catalog.pg_rewrite r ON r.oid OPERATOR(pg_catalog.=) d.objid
)
SELECT DISTINCT c.relname AS name FROM reach JOIN pg_catalog.pg_class c ON c.oid OPERATOR(pg_catalog.=) reach.oid
 WHERE NOT (reach.oid OPERATOR(pg_catalog.=) ANY ($1::oid[]))`;

/** $1 OIDs. */
export const RELATIONS = `
SELECT c.oid::int8 AS oid, n.nspname AS schema, c.relname AS name, c.relkind::text AS kind,
       (SELECT r.ev_action::text FROM pg_catalog.pg_rewrite r
         WHERE r.ev_class OPERATOR(pg_catalog.=) c.oid AND r.rulename OPERATOR(pg_catalog.=) '_RETURN' AND r.ev_type OPERATOR(pg_catalog.=) '1') AS definition,
       EXISTS (SELECT FROM pg_catalog.pg_rewrite r
         WHERE r.ev_class OPERATOR(pg_catalog.=) c.oid AND NOT (r.rulename OPERATOR(pg_catalog.=) '_RETURN' AND r.ev_type OPERATOR(pg_catalog.=) '1')
           AND c.oid OPERATOR(pg_catalog.>=) 16384) AS "hasRules"
  FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
 WHERE c.oid OPERATOR(pg_catalog.=) ANY ($1::oid[])`;

/** $1 OIDs. */
export const FUNCTIONS = `
SELECT p.oid::int8 AS oid, n.nspname AS schema, p.proname AS name, l.lanname AS language, p.provolatile::text AS volatility, p.prokind::text AS kind
  FROM pg_catalog.pg_proc p
  JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) p.pronamespace
  JOIN pg_catalog.pg_language l ON l.oid OPERATOR(pg_catalog.=) p.prolang
 WHERE p.oid OPERATOR(pg_catalog.=) ANY ($1::oid[])`;

/** $1 OIDs. */
export const OPERATORS = `
SELECT o.oid::int8 AS oid, o.oprcode::oid::int8 AS function FROM pg_catalog.pg_operator o WHERE o.oid OPERATOR(pg_catalog.=) ANY ($1::oid[])`;
