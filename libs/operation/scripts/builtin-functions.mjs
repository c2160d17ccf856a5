// Writes src/generated/builtins.ts from a PostgreSQL server: what pg_catalog has before anybody adds to it.
// Use, then format: node scripts/builtin-functions.mjs postgres://USER@HOST:PORT/template1   (a fresh cluster of the version we parse)
import { writeFile } from 'node:fs/promises';
import pg from 'pg';

const url = process.argv[2];
if (url === undefined) {
  console.error('use: builtin-functions.mjs postgres://…');
  process.exit(2);
}
const client = new pg.Client({ connectionString: url });
await client.connect();
// The most volatile overload speaks for the name: a call isn't matched with its argument types here.
const functions = await client.query(`
  SELECT proname AS name, CASE WHEN bool_or(provolatile = 'v') THEN 'v' WHEN bool_or(provolatile = 's') THEN 's' ELSE 'i' END AS volatility
  FROM pg_proc WHERE pronamespace = 'pg_catalog'::regnamespace GROUP BY 1 ORDER BY proname COLLATE "C"`);
const operators = await client.query(`
  SELECT DISTINCT oprname AS name FROM pg_operator WHERE oprnamespace = 'pg_catalog'::regnamespace ORDER BY 1`);
const version = (await client.query('SHOW server_version')).rows[0].server_version;
await client.end();

const lines = (names) => {
  const out = [];
  let line = '';
  for (const name of names) {
    if (line.length + name.length > 130) {
      out.push(line);
      line = '';
    }
    line += (line === '' ? '' : ' ') + name;
  }
  out.push(line);
  return out.map((text) => '  ' + text.replaceAll('\\', '\\\\').replaceAll('`', '\\`').replaceAll('$', '\\$')).join('\n');
};
const of = (volatility) => lines(functions.rows.filter((row) => row.volatility === volatility).map((row) => row.name));
await writeFile(
  new URL('../src/generated/builtins.ts', import.meta.url),
  `// Written by scripts/builtin-functions.mjs from PostgreSQL ${version}. Don't edit.
export const VOLATILE = \`
${of('v')}
\`;
export const STABLE = \`
${of('s')}
\`;
export const IMMUTABLE = \`
${of('i')}
\`;
export const OPERATORS = \`
${lines(operators.rows.map((row) => row.name).toSorted((a, b) => (a < b ? -1 : 1)))}
\`;
`,
);
