import type { DataSource, SelectQueryBuilder } from 'typeorm';
import type { Table } from '../entities.js';
import { storeError, StoreError } from '../errors.js';
import type { StoreLimits } from '../limits.js';

/** What every list takes. */
export interface PageRequest {
  /** Rows; held to `pageMaxRows`. */
  readonly limit?: number;
  /** `next` of the page before. */
  readonly cursor?: string;
}

export interface Page<Row> {
  readonly rows: readonly Row[];
  /** For the next page; null at the end. Good for the same filters only. */
  readonly next: string | null;
}

export interface Reading {
  readonly dataSource: DataSource;
  readonly schema: string;
  readonly limits: StoreLimits;
}

/** Throws `STORE_VALUE` for what is no count. */
export function pageSize(limit: number | undefined, { pageRows, pageMaxRows }: StoreLimits): number {
  if (limit === undefined) return pageRows;
  if (!Number.isSafeInteger(limit) || limit < 1) throw new StoreError('STORE_VALUE', 'a limit is a whole number from 1');
  return Math.min(limit, pageMaxRows);
}

export function encodeCursor(values: readonly string[]): string {
  return Buffer.from(JSON.stringify(values)).toString('base64url');
}

/** Throws `STORE_CURSOR`. */
export function decodeCursor(cursor: string, length: number): readonly string[] {
  try {
    const values = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8')) as unknown;
    if (Array.isArray(values) && values.length === length && values.every((value) => typeof value === 'string')) return values;
  } catch {
    // The same as a cursor of another shape.
  }
  throw new StoreError('STORE_CURSOR', 'the cursor is not one of this list');
}

/** The order of a list: by `time`, newest first, and by `id` among equals, which makes it total. */
export interface NewestFirst<Row> {
  readonly time: keyof Row & string;
  readonly id: keyof Row & string;
}

/** One page of a table, newest first. `where` gets the query with the alias `row`. Rejects with a {@link StoreError}. */
export async function newestFirst<Row extends object>(
  { dataSource, limits }: Reading,
  table: Table<Row>,
  { time, id }: NewestFirst<Row>,
  request: PageRequest,
  where: (query: SelectQueryBuilder<Row>) => void,
): Promise<Page<Row>> {
  const size = pageSize(request.limit, limits);
  const query = dataSource.getRepository(table.entity).createQueryBuilder('row').where('TRUE');
  where(query);
  if (request.cursor !== undefined) {
    const [beforeTime, beforeId] = decodeCursor(request.cursor, 2);
    query.andWhere(`(row.${time}, row.${id}) < (CAST(:beforeTime AS timestamptz), :beforeId)`, { beforeTime, beforeId });
  }
  query
    .orderBy(`row.${time}`, 'DESC')
    .addOrderBy(`row.${id}`, 'DESC')
    .limit(size + 1);
  const rows = await answered(query.getMany());
  const last = rows.length > size ? rows[size - 1] : undefined;
  return { rows: rows.slice(0, size), next: last ? encodeCursor([String(last[time]), String(last[id])]) : null };
}

export async function answered<T>(query: Promise<T>): Promise<T> {
  try {
    return await query;
  } catch (error) {
    throw storeError(error);
  }
}
