import { acknowledgementKey, eventPlace, holdKey, operationKey, placeKey, touched } from '@sallyport/projections';
import type { EventPlace, LogEntry, SessionRow, Tables } from '@sallyport/projections';
import type { EntityManager } from 'typeorm';
import { ACKNOWLEDGEMENTS, EVENTS, HOLDS, LEASES, OPERATIONS, REVOCATIONS, RUNS, SERVICES, SESSIONS } from './entities.js';
import type { Table } from './entities.js';

/** The rows that these entries may read or change. */
export async function loadTouched(manager: EntityManager, entries: readonly LogEntry[]): Promise<Tables> {
  const keys = touched(entries);
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

/**
 * The bytes that stand in the places that these entries want to take, by `placeKey`. Of sessions only those that aren't ahead of all that
 * was read of theirs: the others' places are free.
 */
export async function loadTaken(
  manager: EntityManager,
  entries: readonly LogEntry[],
  sessions: ReadonlyMap<string, SessionRow>,
): Promise<ReadonlyMap<string, Buffer>> {
  const places = entries.flatMap((entry) => eventPlace(entry) ?? []);
  const chained = places.flatMap((place) =>
    'session' in place && place.sequence <= (sessions.get(place.session)?.sequence ?? -1) ? [place] : [],
  );
  const others = places.flatMap((place) => ('topic' in place ? [place] : []));
  const taken = new Map<string, Buffer>();
  const put = (place: EventPlace, bytes: Buffer): unknown => taken.set(placeKey(place), bytes);
  if (chained.length > 0) {
    const found = await manager
      .createQueryBuilder(EVENTS.entity, 'row')
      .where('row.session IS NOT NULL')
      .andWhere('(row.session, row.sequence) IN (SELECT * FROM unnest(CAST(:sessions AS text[]), CAST(:sequences AS integer[])))', {
        sessions: chained.map(({ session }) => session),
        sequences: chained.map(({ sequence }) => sequence),
      })
      .getMany();
    for (const { session, sequence, bytes } of found) if (session !== null && sequence !== null) put({ session, sequence }, bytes);
  }
  if (others.length > 0) {
    const found = await manager
      .createQueryBuilder(EVENTS.entity, 'row')
      .where('row.session IS NULL AND row.identity IS NOT NULL')
      .andWhere('(row.topic, row.identity) IN (SELECT * FROM unnest(CAST(:topics AS text[]), CAST(:identities AS text[])))', {
        topics: others.map(({ topic }) => topic),
        identities: others.map(({ identity }) => identity),
      })
      .getMany();
    for (const { topic, identity, bytes } of found) if (identity !== null) put({ topic, identity }, bytes);
  }
  return taken;
}
