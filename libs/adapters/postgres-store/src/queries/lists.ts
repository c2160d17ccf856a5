import { keyText } from '@sallyport/projections';
import type { HoldRow, LeaseRow, OperationRow, RunRow, SessionRow } from '@sallyport/projections';
import { HOLDS, LEASES, OPERATIONS, RUNS, SESSIONS } from '../entities.js';
import { answered, newestFirst, pageSize } from './page.js';
import type { Page, PageRequest, Reading } from './page.js';

export interface SessionFilter extends PageRequest {
  readonly state?: SessionRow['state'];
  /** Subject. */
  readonly principal?: string;
  readonly issuer?: string;
  readonly resource?: string;
  readonly run?: string;
  /** RFC 3339: opened at or after. */
  readonly since?: string;
  /** RFC 3339: opened before. */
  readonly until?: string;
}

export interface HoldFilter extends PageRequest {
  readonly state?: HoldRow['state'];
  readonly session?: string;
  readonly resource?: string;
  /** Subject of the requester. */
  readonly principal?: string;
  readonly since?: string;
  readonly until?: string;
}

export interface LeaseFilter extends PageRequest {
  readonly state?: LeaseRow['state'];
  readonly session?: string;
  readonly resource?: string;
  readonly since?: string;
  readonly until?: string;
}

export interface RunFilter extends PageRequest {
  /** With a session that is open. */
  readonly open?: boolean;
  readonly since?: string;
  readonly until?: string;
}

/** Equalities and the bounds of a time, as far as they are given. */
function conditions(filter: object, equal: readonly string[], time: string) {
  return (query: { andWhere(condition: string, parameters?: object): unknown }): void => {
    const given = filter as Readonly<Record<string, string | undefined>>;
    for (const name of equal) {
      const value = given[name];
      if (value !== undefined) query.andWhere(`row.${name} = :${name}`, { [name]: keyText(value) });
    }
    if (given['since'] !== undefined) query.andWhere(`row.${time} >= CAST(:since AS timestamptz)`, { since: given['since'] });
    if (given['until'] !== undefined) query.andWhere(`row.${time} < CAST(:until AS timestamptz)`, { until: given['until'] });
  };
}

export function sessions(reading: Reading, filter: SessionFilter): Promise<Page<SessionRow>> {
  const where = conditions({ ...filter, subject: filter.principal }, ['state', 'subject', 'issuer', 'resource', 'run'], 'opened');
  return newestFirst(reading, SESSIONS, { time: 'opened', id: 'id' }, filter, where);
}

export async function session({ dataSource }: Reading, id: string): Promise<SessionRow | null> {
  return answered(dataSource.getRepository(SESSIONS.entity).findOneBy({ id }));
}

/** By number. `after` is the last number of the page before. */
export async function operations(
  { dataSource, limits }: Reading,
  sessionId: string,
  { after = 0, limit }: { readonly after?: number; readonly limit?: number },
): Promise<readonly OperationRow[]> {
  const query = dataSource
    .getRepository(OPERATIONS.entity)
    .createQueryBuilder('row')
    .where('row.session = :sessionId AND row.operation > :after', { sessionId, after })
    .orderBy('row.operation')
    .limit(pageSize(limit, limits));
  return answered(query.getMany());
}

/**
 * Ids of holds are random and their edge's own. Should two sessions use one, somebody has copied it from the log, and nobody can tell
 * from the rows who: neither is shown, so that no approver answers the one and has read the other.
 */
const isAlone = (holds: string): string =>
  `NOT EXISTS (SELECT 1 FROM ${holds} AS twin WHERE twin.id = row.id AND twin.session <> row.session AND twin.requested IS NOT NULL)`;

/** Holds whose request has been read: answers alone are nothing to show. */
export function holds(reading: Reading, filter: HoldFilter): Promise<Page<HoldRow>> {
  const where = conditions(filter, ['state', 'session', 'resource'], 'requested');
  return newestFirst(reading, HOLDS, { time: 'requested', id: 'id' }, filter, (query) => {
    query.andWhere('row.requested IS NOT NULL').andWhere(isAlone(`"${reading.schema}".holds`));
    where(query);
    if (filter.principal !== undefined) query.andWhere("row.requester->>'subject' = :principal", { principal: filter.principal });
  });
}

/** One whose request has been read. */
export async function hold({ dataSource, schema }: Reading, id: string): Promise<HoldRow | null> {
  const query = dataSource
    .getRepository(HOLDS.entity)
    .createQueryBuilder('row')
    .where('row.id = :id AND row.requested IS NOT NULL', { id: keyText(id) })
    .andWhere(isAlone(`"${schema}".holds`));
  return answered(query.getOne());
}

/** Leases whose issue has been read. */
export function leases(reading: Reading, filter: LeaseFilter): Promise<Page<LeaseRow>> {
  const where = conditions(filter, ['state', 'session', 'resource'], 'issued');
  return newestFirst(reading, LEASES, { time: 'issued', id: 'id' }, filter, (query) => {
    query.andWhere('row.issued IS NOT NULL');
    where(query);
  });
}

export function runs(reading: Reading, filter: RunFilter): Promise<Page<RunRow>> {
  const where = conditions({ since: filter.since, until: filter.until }, [], 'lastSeen');
  return newestFirst(reading, RUNS, { time: 'lastSeen', id: 'run' }, filter, (query) => {
    where(query);
    if (filter.open !== undefined) query.andWhere(filter.open ? 'row.open > 0' : 'row.open = 0');
  });
}

export async function run({ dataSource }: Reading, name: string): Promise<RunRow | null> {
  return answered(dataSource.getRepository(RUNS.entity).findOneBy({ run: keyText(name) }));
}
