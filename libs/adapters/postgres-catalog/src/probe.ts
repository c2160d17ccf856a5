import { type Client, DatabaseError } from 'pg';

import type { Analysed, AnalyseRequest } from '@sallyport/masking';

import { script } from './side-connection.js';

/** SQLSTATEs whose messages hold names and types, and no literal of the statement. */
const NAMES_ONLY = new Set(['42P01', '42703', '42883', '42702', '3F000', '42501', '25006', '42P02', '42P18', '0A000']);

/** What `text` is preceded by: a transaction that leaves nothing behind, with the session's own way of finding names. */
function begin(client: Client, searchPath: string, timeoutMs: number): string {
  return `BEGIN READ WRITE; SET LOCAL statement_timeout = ${timeoutMs}; SELECT pg_catalog.set_config('search_path', ${client.escapeLiteral(searchPath)}, true);`;
}

/**
 * Has the server analyse a statement without running it: as the body of a function that is created in the connection's own
 * temporary schema and rolled back. Its `prosqlbody` is the analysed tree. Needs PostgreSQL 14, the TEMP privilege on the
 * database (PUBLIC has it by default), and a server that isn't read-only.
 */
export async function probe(client: Client, request: AnalyseRequest, typeNames: Map<number, string>, timeoutMs: number): Promise<Analysed> {
  try {
    const types = request.parameterTypes.length > 0 ? await parameterTypes(client, request, typeNames, timeoutMs) : [];
    // A typed null is analysed as a parameter of that type is, and there is no limit to how many there are.
    const text = request.pieces.map((piece) => (typeof piece === 'string' ? piece : `(NULL::${types[piece - 1] ?? 'unknown'})`)).join('');
    const returns = request.returnsRows ? 'SETOF record' : 'void';
    const results = await script(
      client,
      `${begin(client, request.searchPath, timeoutMs)}
       CREATE FUNCTION pg_temp.sallyport_probe() RETURNS ${returns} LANGUAGE sql BEGIN ATOMIC ${text}
;END;
       SET LOCAL search_path = pg_catalog;
       SELECT p.prosqlbody::text AS tree FROM pg_proc p WHERE p.pronamespace = pg_my_temp_schema() AND p.proname = 'sallyport_probe';
       ROLLBACK`,
    );
    const tree = results.at(-2)?.rows[0]?.['tree'];
    return typeof tree === 'string' ? { ok: true, tree } : { ok: false, sqlstate: 'XX000', message: '' };
  } catch (error) {
    if (!(error instanceof DatabaseError) || error.code === undefined) throw error;
    await client.query('ROLLBACK');
    return { ok: false, sqlstate: error.code, message: NAMES_ONLY.has(error.code) ? error.message : '' };
  }
}

/** Types as the server infers them, printed so that any search_path reads them alike. */
async function parameterTypes(
  client: Client,
  request: AnalyseRequest,
  typeNames: Map<number, string>,
  timeoutMs: number,
): Promise<string[]> {
  await nameTypes(client, request.parameterTypes, typeNames);
  const declared = request.declaredTypes ?? `(${request.parameterTypes.map((oid) => typeNames.get(oid) ?? 'unknown').join(', ')})`;
  const text = request.pieces.map((piece) => (typeof piece === 'string' ? piece : `$${piece}`)).join('');
  await client.query('DEALLOCATE ALL');
  const results = await script(
    client,
    `${begin(client, request.searchPath, timeoutMs)}
     PREPARE sallyport_probe ${declared} AS ${text}
;
     SET LOCAL search_path = pg_catalog;
     SELECT format_type(t.type, NULL) AS name FROM pg_prepared_statements s, unnest(s.parameter_types) WITH ORDINALITY AS t(type, position)
      WHERE s.name = 'sallyport_probe' ORDER BY t.position;
     DEALLOCATE sallyport_probe;
     ROLLBACK`,
  );
  return (results.at(-3)?.rows ?? []).map((row) => String(row['name']));
}

async function nameTypes(client: Client, oids: readonly number[], typeNames: Map<number, string>): Promise<void> {
  const wanted = [...new Set(oids)].filter((oid) => oid > 0 && !typeNames.has(oid));
  if (wanted.length === 0) return;
  const results = await script(
    client,
    `BEGIN; SET LOCAL search_path = pg_catalog;
     SELECT t.oid::int8 AS oid, format_type(t.oid, NULL) AS name FROM pg_type t WHERE t.oid = ANY ('{${wanted.join(',')}}'::oid[]); ROLLBACK`,
  );
  for (const row of results.at(-2)?.rows ?? []) typeNames.set(Number(row['oid']), String(row['name']));
}
