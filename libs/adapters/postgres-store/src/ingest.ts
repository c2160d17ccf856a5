import { fold, readEntry, withoutCopies } from '@sallyport/projections';
import type { LogEntry, LogRecord } from '@sallyport/projections';
import type { DataSource, QueryRunner } from 'typeorm';
import { lockKey, transaction } from './data-source.js';
import { EVENTS, ACKNOWLEDGEMENTS, HOLDS, LEASES, OFFSETS, OPERATIONS, REVOCATIONS, RUNS, SERVICES, SESSIONS } from './entities.js';
import type { EventRow, OffsetRow } from './entities.js';
import { StoreError } from './errors.js';
import { loadTaken, loadTouched } from './load.js';
import { write } from './staging.js';

/** Records of one partition, in order, and the offsets that they span: `firstOffset` to just before `nextOffset`. */
export interface Batch {
  readonly topic: string;
  readonly partition: number;
  readonly records: readonly LogRecord[];
  readonly firstOffset: bigint;
  readonly nextOffset: bigint;
  /** Where to read on from after a restart, when an event is begun in this batch and not complete. Default `nextOffset`. */
  readonly resumeOffset?: bigint;
}

export interface Applied {
  /** Records that were new; 0 when the batch had been applied before. Copies of events that are there are none. */
  readonly records: number;
  /** Of these, those that are no event, or contradict one: kept, with the reason. */
  readonly unreadable: number;
}

/**
 * Folds batches into the tables, and the offsets with them, in one transaction: all of it or nothing, once. Transactions wait for each
 * other, in all processes. What comes back for each batch is what was done, or `STORE_GAP` when what comes before it is not there; the
 * others are applied all the same. At most one batch of a partition.
 */
export async function applyBatches(
  dataSource: DataSource,
  schema: string,
  batches: readonly Batch[],
): Promise<readonly (Applied | StoreError)[]> {
  try {
    return await applyInOne(dataSource, schema, batches, 'new');
  } catch (error) {
    // A place that is taken and wasn't found to be: what stands there stays, and nobody waits for somebody to look.
    if (!(error instanceof StoreError) || error.reason !== UNIQUE_VIOLATION) throw error;
    return applyInOne(dataSource, schema, batches, 'keep');
  }
}

const UNIQUE_VIOLATION = '23505';

function applyInOne(
  dataSource: DataSource,
  schema: string,
  batches: readonly Batch[],
  existing: 'new' | 'keep',
): Promise<readonly (Applied | StoreError)[]> {
  return transaction(dataSource, async (runner, manager) => {
    // The log is what is kept: a commit that a crash of the server takes back is read again, as the offsets go back with it.
    await runner.query(`SELECT set_config('synchronous_commit', 'off', true), pg_advisory_xact_lock(${lockKey('ingest', schema)})`);
    const stored = await manager.getRepository(OFFSETS.entity).find();
    const parts = batches.map((batch) => newPart(batch, stored));
    const entries = parts.flatMap((part) => ('entries' in part ? part.entries : []));
    const tables = await loadTouched(manager, entries);
    const fresh = withoutCopies(entries, await loadTaken(manager, entries, tables.sessions));
    const changed = fold(tables, fresh);
    if (fresh.length > 0) await write(runner, schema, EVENTS, fresh.map(eventRow), existing);
    if (changed.sessions.size > 0) await write(runner, schema, SESSIONS, changed.sessions.values());
    if (changed.operations.size > 0) await write(runner, schema, OPERATIONS, changed.operations.values());
    if (changed.holds.size > 0) await write(runner, schema, HOLDS, changed.holds.values());
    if (changed.leases.size > 0) await write(runner, schema, LEASES, changed.leases.values());
    if (changed.runs.size > 0) await write(runner, schema, RUNS, changed.runs.values());
    if (changed.services.size > 0) await write(runner, schema, SERVICES, changed.services.values());
    if (changed.revocations.size > 0) await write(runner, schema, REVOCATIONS, changed.revocations.values());
    if (changed.acknowledgements.size > 0) await write(runner, schema, ACKNOWLEDGEMENTS, changed.acknowledgements.values());
    await putOffsets(
      runner,
      schema,
      parts.flatMap((part) => ('offset' in part ? [part.offset] : [])),
    );
    return parts.map((part) => ('entries' in part ? applied(part.offset, fresh) : 'gap' in part ? part.gap : NOTHING));
  });
}

/** One batch. Rejects with `STORE_GAP` when what comes before it is not there. */
export async function applyBatch(dataSource: DataSource, schema: string, batch: Batch): Promise<Applied> {
  const [outcome = NOTHING] = await applyBatches(dataSource, schema, [batch]);
  if (outcome instanceof StoreError) throw outcome;
  return outcome;
}

const NOTHING: Applied = { records: 0, unreadable: 0 };

type Part = { readonly gap: StoreError } | { readonly known: true } | { readonly entries: readonly LogEntry[]; readonly offset: OffsetRow };

/** What of a batch is not stored yet. */
function newPart({ topic, partition, records, firstOffset, nextOffset, resumeOffset }: Batch, stored: readonly OffsetRow[]): Part {
  const next = stored.find((row) => row.topic === topic && row.partition === partition)?.next ?? 0n;
  if (firstOffset > next) {
    return { gap: new StoreError('STORE_GAP', `${topic}/${partition} is stored up to ${next}, and the batch starts at ${firstOffset}`) };
  }
  if (nextOffset <= next) return { known: true };
  return {
    entries: records.filter(({ offset }) => offset >= next).map(readEntry),
    offset: { topic, partition, next: nextOffset, resume: resumeOffset ?? nextOffset },
  };
}

function applied({ topic, partition }: OffsetRow, fresh: readonly LogEntry[]): Applied {
  const own = fresh.filter(({ record }) => record.topic === topic && record.partition === partition);
  return { records: own.length, unreadable: own.filter(({ reading }) => reading.stream === 'unreadable').length };
}

async function putOffsets(runner: QueryRunner, schema: string, rows: readonly OffsetRow[]): Promise<void> {
  if (rows.length === 0) return;
  await runner.query(
    `INSERT INTO "${schema}".offsets (topic, partition, next, resume)
     SELECT * FROM unnest($1::text[], $2::integer[], $3::bigint[], $4::bigint[])
     ON CONFLICT (topic, partition) DO UPDATE SET next = EXCLUDED.next, resume = EXCLUDED.resume`,
    [rows.map(({ topic }) => topic), rows.map(({ partition }) => partition), rows.map(({ next }) => next), rows.map((row) => row.resume)],
  );
}

function eventRow({ record, reading, time, identity }: LogEntry): EventRow {
  const event = reading.stream === 'unreadable' ? null : reading.event;
  const chained = reading.stream === 'session' || reading.stream === 'session-unknown' ? reading.event : null;
  return {
    topic: record.topic,
    partition: record.partition,
    offset: record.offset,
    session: chained?.sessionid ?? null,
    sequence: chained?.sequence ?? null,
    identity,
    type: event?.type ?? null,
    time,
    subject: event?.subject ?? null,
    problem: reading.stream === 'unreadable' ? reading.code : null,
    bytes: record.bytes,
  };
}
