import type { FunctionFacts } from './catalog.port.js';

/** OIDs below this are the server's own objects (FirstNormalObjectId, access/transam.h). */
export const FIRST_USER_OID = 16384;

/** Built-in functions that run SQL from a string, read files or other sessions' statements, or change how names resolve. */
const OPAQUE =
  /^(?:(?:table|query|cursor|schema|database)_to_xml|ts_stat$|ts_rewrite$|pg_read_|pg_stat_get_activity$|pg_stat_get_backend_activity$|pg_logical_slot_|pg_mcv_list_items$|set_config$|lo_import$|lo_export$|pg_get_wal|binary_upgrade_)/;

/**
 * Why a function can't be let near a session with masks, or undefined if it can: its body may read what it likes, and
 * nobody can see where its result comes from.
 */
export function opaqueFunction(fn: FunctionFacts): string | undefined {
  if (fn.oid < FIRST_USER_OID) return OPAQUE.test(fn.name) ? `the function ${fn.name} can show values from anywhere` : undefined;
  // An immutable C function (pg_trgm, pgcrypto, …) works on its arguments; C needs a superuser to create.
  if (fn.kind === 'f' && fn.volatility === 'i' && (fn.language === 'c' || fn.language === 'internal')) return undefined;
  return `what the function ${fn.schema}.${fn.name} reads can't be seen from outside`;
}

/** Functions that may stand in DDL (defaults, indexes, COPY … WHERE) and in a statement without tables. Lower case, unqualified or in pg_catalog. */
export const PLAIN_FUNCTIONS: ReadonlySet<string> = new Set([
  'abs',
  'clock_timestamp',
  'concat',
  'current_database',
  'current_schema',
  'gen_random_uuid',
  'length',
  'lower',
  'nextval',
  'now',
  'pg_backend_pid',
  'pg_is_in_recovery',
  'random',
  'statement_timestamp',
  'transaction_timestamp',
  'upper',
  'uuidv4',
  'uuidv7',
  'version',
]);

/** Operators that may stand there: somebody else's could be anything, with a function behind it. */
export const PLAIN_OPERATORS: ReadonlySet<string> = new Set([
  '=',
  '<>',
  '<',
  '>',
  '<=',
  '>=',
  '+',
  '-',
  '*',
  '/',
  '%',
  '||',
  '~~',
  '!~~',
  '~~*',
  '!~~*',
  '~',
  '!~',
  'BETWEEN',
  'NOT BETWEEN',
]);
