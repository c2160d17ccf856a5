import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ClientBase } from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import type { QueryRunner } from 'typeorm';
import { copyField } from './columns.js';
import type { Table } from './entities.js';

/** About as much as one write to the connection takes. */
const CHUNK_CHARS = 128 * 1024;

/** What becomes of a row whose key is there. `new`: none is, or the transaction fails. */
export type Existing = 'replace' | 'keep' | 'new';

/**
 * Writes rows with COPY, in the runner's transaction: straight into the table when they are all new, else by way of a temporary one.
 * `keep` goes by any unique index, `replace` by the key.
 */
export async function write<Row extends object>(
  runner: QueryRunner,
  schema: string,
  table: Table<Row>,
  rows: Iterable<Row>,
  existing: Existing = 'replace',
): Promise<void> {
  const stage = `pg_temp.stage_${table.name}`;
  const target = `"${schema}".${table.name}`;
  const columns = table.columns.map(({ name }) => `"${name}"`).join(', ');
  const client = (await runner.connect()) as ClientBase;
  const copyInto = async (into: string): Promise<void> =>
    pipeline(Readable.from(lines(table, rows)), client.query(copyFrom(`COPY ${into} (${columns}) FROM STDIN`)));
  if (existing === 'new') return copyInto(target);
  const key = table.columns.filter(({ property }) => table.key.includes(property)).map(({ name }) => `"${name}"`);
  const values = table.columns.filter(({ property }) => !table.key.includes(property));
  const update = values.map(({ name }) => `"${name}" = EXCLUDED."${name}"`).join(', ');
  await runner.query(`CREATE TEMP TABLE IF NOT EXISTS stage_${table.name} (LIKE ${target}) ON COMMIT DELETE ROWS`);
  await copyInto(stage);
  const conflict = existing === 'keep' ? 'ON CONFLICT DO NOTHING' : `ON CONFLICT (${key.join(', ')}) DO UPDATE SET ${update}`;
  await runner.query(`INSERT INTO ${target} (${columns}) SELECT ${columns} FROM ${stage} ${conflict}`);
  return undefined;
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
