import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ClientBase } from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import type { QueryRunner } from 'typeorm';
import { copyField } from './columns.js';
import type { Table } from './entities.js';

/** About as much as one write to the connection takes. */
const CHUNK_CHARS = 128 * 1024;

/**
 * Writes rows with COPY into a temporary table and from there into the real one, in the runner's transaction. Rows whose key is
 * there are replaced, or left as they are with `ifNew` (by any unique index).
 */
export async function write<Row extends object>(
  runner: QueryRunner,
  schema: string,
  table: Table<Row>,
  rows: Iterable<Row>,
  ifNew = false,
): Promise<void> {
  const stage = `pg_temp.stage_${table.name}`;
  const target = `"${schema}".${table.name}`;
  const columns = table.columns.map(({ name }) => `"${name}"`).join(', ');
  const key = table.columns.filter(({ property }) => table.key.includes(property)).map(({ name }) => `"${name}"`);
  const values = table.columns.filter(({ property }) => !table.key.includes(property));
  const update = values.map(({ name }) => `"${name}" = EXCLUDED."${name}"`).join(', ');
  await runner.query(`CREATE TEMP TABLE IF NOT EXISTS stage_${table.name} (LIKE ${target}) ON COMMIT DELETE ROWS`);
  const client = (await runner.connect()) as ClientBase;
  const copy = client.query(copyFrom(`COPY ${stage} (${columns}) FROM STDIN`));
  await pipeline(Readable.from(lines(table, rows)), copy);
  const conflict = ifNew ? 'ON CONFLICT DO NOTHING' : `ON CONFLICT (${key.join(', ')}) DO UPDATE SET ${update}`;
  await runner.query(`INSERT INTO ${target} (${columns}) SELECT ${columns} FROM ${stage} ${conflict}`);
}

function* lines<Row extends object>(table: Table<Row>, rows: Iterable<Row>): Generator<Buffer> {
  let chunk = '';
  for (const row of rows) {
    chunk += `${table.columns.map((column) => copyField(column, row)).join('\t')}\n`;
    if (chunk.length < CHUNK_CHARS) continue;
    yield Buffer.from(chunk);
    chunk = '';
  }
  if (chunk !== '') yield Buffer.from(chunk);
}
