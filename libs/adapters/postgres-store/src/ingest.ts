import { acknowledgementKey, fold, holdKey, operationKey, readEntry, touched } from '@sallyport/projections';
import type { LogEntry, LogRecord, Tables, Touched } from '@sallyport/projections';
import type { DataSource, EntityManager } from 'typeorm';
import { lockKey, transaction } from './data-source.js';
import { ACKNOWLEDGEMENTS, EVENTS, HOLDS, LEASES, OFFSETS, OPERATIONS, REVOCATIONS, RUNS, SERVICES, SESSIONS } from './entities.js';
import type { EventRow, OffsetRow, Table } from './entities.js';
import { StoreError } from './errors.js';
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
  /** Records that were new; 0 when the batch had been applied before. */
  readonly records: number;
  /** Of these, those that are no event: kept, with the reason. */
  readonly unreadable: number;
}

/**
 * Folds a batch into the tables, and the offsets with it, in one transaction: all of it or nothing, once. Batches wait for each
 * other, in all processes. Rejects with `STORE_GAP` when what comes before the batch is not there.
 */
export async function applyBatch(dataSource: DataSource, schema: string, batch: Batch): Promise<Applied> {
  const { topic, partition } = batch;
  return transaction(dataSource, async (runner, manager) => {
    await runner.query(`SELECT pg_advisory_xact_lock(${lockKey('ingest', schema)})`);
    const position = await manager.findOneBy(OFFSETS.entity, { topic, partition });
    const next = position?.next ?? 0n;
    if (batch.firstOffset > next) {
      throw new StoreError('STORE_GAP', `${topic}/${partition} is stored up to ${next}, and the batch starts at ${batch.firstOffset}`);
    }
    if (batch.nextOffset <= next) return { records: 0, unreadable: 0 };
    const entries = batch.records.filter(({ offset }) => offset >= next).map(readEntry);
    const changed = fold(await load(manager, touched(entries)), entries);
    if (entries.length > 0) await write(runner, schema, EVENTS, entries.map(eventRow), true);
    if (changed.sessions.size > 0) await write(runner, schema, SESSIONS, changed.sessions.values());
    if (changed.operations.size > 0) await write(runner, schema, OPERATIONS, changed.operations.values());
    if (changed.holds.size > 0) await write(runner, schema, HOLDS, changed.holds.values());
    if (changed.leases.size > 0) await write(runner, schema, LEASES, changed.leases.values());
    if (changed.runs.size > 0) await write(runner, schema, RUNS, changed.runs.values());
    if (changed.services.size > 0) await write(runner, schema, SERVICES, changed.services.values());
    if (changed.revocations.size > 0) await write(runner, schema, REVOCATIONS, changed.revocations.values());
    if (changed.acknowledgements.size > 0) await write(runner, schema, ACKNOWLEDGEMENTS, changed.acknowledgements.values());
    const row: OffsetRow = { topic, partition, next: batch.nextOffset, resume: batch.resumeOffset ?? batch.nextOffset };
    await runner.query(
      `INSERT INTO "${schema}".offsets (topic, partition, next, resume) VALUES ($1, $2, $3, $4)
       ON CONFLICT (topic, partition) DO UPDATE SET next = EXCLUDED.next, resume = EXCLUDED.resume`,
      [row.topic, row.partition, row.next, row.resume],
    );
    return { records: entries.length, unreadable: entries.filter(({ reading }) => reading.stream === 'unreadable').length };
  });
}

/** The rows that a batch may read or change. */
async function load(manager: EntityManager, keys: Touched): Promise<Tables> {
  const sessions = await byKey(manager, SESSIONS, 'id', [...keys.sessions]);
  const runKeys = new Set([...keys.runs, ...sessions.flatMap(({ run }) => (run === null ? [] : [run]))]);
  const runs = await byKey(manager, RUNS, 'run', [...runKeys]);
  const leases = await byKey(manager, LEASES, 'id', [...keys.leases]);
  const services = await byKey(manager, SERVICES, 'name', [...keys.services]);
  const revocations = await byKey(manager, REVOCATIONS, 'id', [...keys.revocations]);
  const places = [...keys.acknowledgements.values()];
  const acknowledgements =
    places.length === 0
      ? []
      : await manager
          .createQueryBuilder(ACKNOWLEDGEMENTS.entity, 'row')
          .where('(row.revocation, row.edge) IN (SELECT * FROM unnest(CAST(:revocations AS text[]), CAST(:edges AS text[])))', {
            revocations: places.map(({ revocation }) => revocation),
            edges: places.map(({ edge }) => edge),
          })
          .getMany();
  const operations =
    keys.operations.size === 0
      ? []
      : await manager
          .createQueryBuilder(OPERATIONS.entity, 'row')
          .where('(row.session, row.operation) IN (SELECT * FROM unnest(CAST(:sessions AS text[]), CAST(:operations AS bigint[])))', {
            sessions: [...keys.operations.values()].map(({ session }) => session),
            operations: [...keys.operations.values()].map(({ operation }) => operation),
          })
          .getMany();
  const holds =
    keys.holds.size + keys.holdsOf.size === 0
      ? []
      : await manager
          .createQueryBuilder(HOLDS.entity, 'row')
          .where('row.session = ANY(:ended)', { ended: [...keys.holdsOf] })
          .orWhere('(row.session, row.id) IN (SELECT * FROM unnest(CAST(:sessions AS text[]), CAST(:ids AS text[])))', {
            sessions: [...keys.holds.values()].map(({ session }) => session),
            ids: [...keys.holds.values()].map(({ id }) => id),
          })
          .getMany();
  return {
    sessions: new Map(sessions.map((row) => [row.id, row])),
    operations: new Map(operations.map((row) => [operationKey(row.session, row.operation), row])),
    holds: new Map(holds.map((row) => [holdKey(row.session, row.id), row])),
    leases: new Map(leases.map((row) => [row.id, row])),
    runs: new Map(runs.map((row) => [row.run, row])),
    services: new Map(services.map((row) => [row.name, row])),
    revocations: new Map(revocations.map((row) => [row.id, row])),
    acknowledgements: new Map(acknowledgements.map((row) => [acknowledgementKey(row.revocation, row.edge), row])),
  };
}

async function byKey<Row extends object>(
  manager: EntityManager,
  { entity }: Table<Row>,
  key: keyof Row & string,
  keys: readonly string[],
): Promise<readonly Row[]> {
  if (keys.length === 0) return [];
  return manager.createQueryBuilder(entity, 'row').where(`row.${key} = ANY(:keys)`, { keys }).getMany();
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
