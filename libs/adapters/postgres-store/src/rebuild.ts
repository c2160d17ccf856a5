import { randomUUID } from 'node:crypto';
import type { DataSource, QueryRunner } from 'typeorm';
import { connect, lockKey, transaction } from './data-source.js';
import { OFFSETS } from './entities.js';
import type { OffsetRow } from './entities.js';
import { storeError, StoreError } from './errors.js';
import { applyBatch } from './ingest.js';
import type { Applied, Batch } from './ingest.js';
import type { StoreLimits } from './limits.js';
import { rebuildBegun, rebuildEnded, rebuildState, rebuildsTaken } from './rebuild-state.js';
import type { RebuildState } from './rebuild-state.js';

/** Where the log ends now. */
export type LogEnds = readonly Pick<OffsetRow, 'topic' | 'partition' | 'next'>[];

/** A second read model, empty at first, that is to take the place of the live one. */
export interface Rebuild {
  readonly state: RebuildState;
  applyBatch(batch: Batch): Promise<Applied>;
  positions(): Promise<readonly OffsetRow[]>;
  /**
   * Puts it in the live one's place, in one transaction: a reader sees the old one or the new one. The rebuild is then over. `last` is
   * called while nobody can put anything into the live one, so it has to be quick: what it applies to this one is all that is missing. It
   * resolves with where the log ends: a live model that was made of a longer log, one that is no more, doesn't count beyond that.
   * Rejects with `STORE_REBUILD_BEHIND`, and may be tried again, when a partition of the live one is further.
   */
  swap(last?: () => Promise<LogEnds>): Promise<void>;
  /** Drops it, and leaves the live one as it is. `failure` is a code: why. */
  abandon(failure: string): Promise<void>;
}

export interface LiveModel {
  readonly dataSource: DataSource;
  readonly url: string;
  readonly schema: string;
  readonly limits: StoreLimits;
}

/** Rejects with `STORE_REBUILDING` when another one is under way, in any process. */
export async function beginRebuild({ dataSource: live, url, schema, limits }: LiveModel, id: string = randomUUID()): Promise<Rebuild> {
  const [next, old] = [`${schema}_rebuild`, `${schema}_old`];
  const guard = await lockRebuild(live, schema);
  let second: DataSource;
  let state: RebuildState | null;
  try {
    await rebuildBegun(guard, schema, id);
    state = await rebuildState(live, schema, id);
    if (!state) throw new StoreError('STORE_FAILED', 'the rebuild is not on record');
    await drop(live, next);
    await drop(live, old);
    second = await connect(url, next, { ...limits, maxConnections: 2 });
  } catch (error) {
    const failure = storeError(error);
    await rebuildEnded(guard, schema, id, failure.code).catch(() => {});
    await guard.release();
    throw failure;
  }
  const end = async (): Promise<void> => {
    if (second.isInitialized) await second.destroy().catch(() => {});
    await guard.release().catch(() => {});
  };
  return {
    state,
    applyBatch: (batch) => applyBatch(second, next, batch),
    positions: () => positions(second),
    async swap(last = async () => []) {
      await transaction(live, async (runner) => {
        await runner.query(`SELECT pg_advisory_xact_lock(${lockKey('ingest', schema)})`);
        await checkAsFar(runner, { schema, next, logEnds: await last() });
        await rebuildsTaken(runner, schema, next);
        await rebuildEnded(runner, next, id, null);
        await runner.query(`ALTER SCHEMA "${schema}" RENAME TO "${old}"`);
        await runner.query(`ALTER SCHEMA "${next}" RENAME TO "${schema}"`);
      });
      // It waits for whoever still reads the old tables. What is left behind by a failure here goes at the next rebuild.
      await drop(live, old).catch(() => {});
      await end();
    },
    async abandon(failure) {
      await drop(live, next).catch(() => {});
      await rebuildEnded(guard, schema, id, failure).catch(() => {});
      await end();
    },
  };
}

export async function positions(dataSource: DataSource): Promise<readonly OffsetRow[]> {
  try {
    return await dataSource.getRepository(OFFSETS.entity).find({ order: { topic: 'ASC', partition: 'ASC' } });
  } catch (error) {
    throw storeError(error);
  }
}

interface AsFar {
  readonly schema: string;
  readonly next: string;
  readonly logEnds: LogEnds;
}

async function checkAsFar(runner: QueryRunner, { schema, next, logEnds }: AsFar): Promise<void> {
  const behind = (await runner.query(
    `SELECT topic FROM "${schema}".offsets AS live
     LEFT JOIN unnest($1::text[], $2::integer[], $3::bigint[]) AS log (topic, partition, next) USING (topic, partition)
     LEFT JOIN "${next}".offsets AS rebuilt USING (topic, partition)
     WHERE coalesce(rebuilt.next, 0) < least(live.next, coalesce(log.next, live.next))`,
    [logEnds.map(({ topic }) => topic), logEnds.map(({ partition }) => partition), logEnds.map((end) => end.next)],
  )) as unknown[];
  if (behind.length > 0) throw new StoreError('STORE_REBUILD_BEHIND', 'the rebuilt model is not as far as the live one');
}

/** Held by a connection of its own until the rebuild is over; it goes with the process, too. */
async function lockRebuild(live: DataSource, schema: string): Promise<QueryRunner> {
  const runner = live.createQueryRunner();
  try {
    const [row] = (await runner.query(`SELECT pg_try_advisory_lock(${lockKey('rebuild', schema)}) AS locked`)) as { locked: boolean }[];
    if (row?.locked !== true) throw new StoreError('STORE_REBUILDING', 'another rebuild is under way');
  } catch (error) {
    await runner.release();
    throw storeError(error);
  }
  const release = runner.release.bind(runner);
  runner.release = async () => {
    if (!runner.isReleased) await runner.query(`SELECT pg_advisory_unlock(${lockKey('rebuild', schema)})`).catch(() => {});
    await release();
  };
  return runner;
}

async function drop(dataSource: DataSource, schema: string): Promise<void> {
  await dataSource.query(`DROP SCHEMA IF EXISTS "${schema}" CASCADE`);
}
