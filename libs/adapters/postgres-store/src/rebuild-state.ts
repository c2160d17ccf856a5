import type { DataSource, QueryRunner } from 'typeorm';
import { lockKey } from './data-source.js';
import { storeError } from './errors.js';

/** How a rebuild goes, whichever replica does it. Times are RFC 3339. */
export interface RebuildState {
  /** Of whoever asked: one that is asked for twice is one. */
  readonly id: string;
  readonly state: 'running' | 'done' | 'failed';
  readonly started: string;
  readonly ended: string | null;
  /** Why it failed, as a code; `STORE_REBUILD_LOST` when who did it is gone. */
  readonly failure: string | null;
}

/** Rebuilds that are remembered. */
export const REBUILDS_KEPT = 16;

interface Row {
  readonly id: string;
  readonly started: Date;
  readonly ended: Date | null;
  readonly failure: string | null;
  readonly running: boolean;
}

/** The newest rebuild, or the one with this id; null when there was none. */
export async function rebuildState(dataSource: DataSource, schema: string, id?: string): Promise<RebuildState | null> {
  try {
    const [row] = (await dataSource.query(
      `SELECT id, started, ended, failure, ended IS NULL AND EXISTS (
         SELECT 1 FROM pg_locks
         WHERE locktype = 'advisory' AND objsubid = 1 AND granted
           AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
           AND ((classid::bigint << 32) | objid::bigint) = ${lockKey('rebuild', schema)}) AS running
       FROM "${schema}".rebuilds WHERE $1::text IS NULL OR id = $1 ORDER BY started DESC, id LIMIT 1`,
      [id ?? null],
    )) as readonly Row[];
    return row ? stateOf(row) : null;
  } catch (error) {
    throw storeError(error);
  }
}

export async function rebuildBegun(runner: QueryRunner, schema: string, id: string): Promise<void> {
  await runner.query(`DELETE FROM "${schema}".rebuilds WHERE id NOT IN
    (SELECT id FROM "${schema}".rebuilds ORDER BY started DESC LIMIT ${REBUILDS_KEPT - 1})`);
  await runner.query(`INSERT INTO "${schema}".rebuilds (id, started) VALUES ($1, clock_timestamp())`, [id]);
}

/** Without a failure it is done. */
export async function rebuildEnded(runner: QueryRunner, schema: string, id: string, failure: string | null): Promise<void> {
  await runner.query(`UPDATE "${schema}".rebuilds SET ended = clock_timestamp(), failure = $2 WHERE id = $1 AND ended IS NULL`, [
    id,
    failure,
  ]);
}

/** From the live model into the one that takes its place. */
export async function rebuildsTaken(runner: QueryRunner, from: string, to: string): Promise<void> {
  await runner.query(`INSERT INTO "${to}".rebuilds SELECT * FROM "${from}".rebuilds`);
}

function stateOf({ id, started, ended, failure, running }: Row): RebuildState {
  const times = { id, started: started.toISOString(), ended: ended?.toISOString() ?? null };
  if (ended === null && running) return { ...times, state: 'running', failure: null };
  if (ended === null) return { ...times, state: 'failed', failure: 'STORE_REBUILD_LOST' };
  return { ...times, state: failure === null ? 'done' : 'failed', failure };
}
