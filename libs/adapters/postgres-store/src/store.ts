import type {
  AcknowledgementRow,
  HoldRow,
  LeaseRow,
  OperationRow,
  RevocationRow,
  RunRow,
  ServiceRow,
  SessionRow,
} from '@sallyport/projections';
import { connect } from './data-source.js';
import type { OffsetRow } from './entities.js';
import { applyBatch } from './ingest.js';
import type { Applied, Batch } from './ingest.js';
import { STORE_LIMITS } from './limits.js';
import type { StoreLimits } from './limits.js';
import { allEvents, events } from './queries/events.js';
import type { EventRange, StoredEvent } from './queries/events.js';
import { hold, holds, leases, operations, run, runs, session, sessions } from './queries/lists.js';
import type { HoldFilter, LeaseFilter, RunFilter, SessionFilter } from './queries/lists.js';
import type { Page, PageRequest } from './queries/page.js';
import { acknowledgements, revocation, revocations, services } from './queries/revocations.js';
import type { RevocationFilter } from './queries/revocations.js';
import { principals, statistics } from './queries/totals.js';
import type { PrincipalRow, Statistics } from './queries/totals.js';
import { beginRebuild, positions } from './rebuild.js';
import type { Rebuild } from './rebuild.js';

export interface StoreOptions {
  /** `postgres://…`. Secret. */
  readonly url: string;
  /** Default `sallyport`; `SCHEMA_rebuild` and `SCHEMA_old` are used beside it. */
  readonly schema?: string;
  readonly limits?: Partial<StoreLimits>;
}

/** What the console and the command line read. Lists are newest first and come in pages. Every call rejects with a `StoreError`. */
export interface StoreQueries {
  sessions(filter?: SessionFilter): Promise<Page<SessionRow>>;
  session(id: string): Promise<SessionRow | null>;
  operations(session: string, range?: { readonly after?: number; readonly limit?: number }): Promise<readonly OperationRow[]>;
  /** May be fewer than asked for; empty only at the end. */
  events(session: string, range?: EventRange): Promise<readonly StoredEvent[]>;
  allEvents(session: string): AsyncIterable<StoredEvent>;
  holds(filter?: HoldFilter): Promise<Page<HoldRow>>;
  hold(id: string): Promise<HoldRow | null>;
  leases(filter?: LeaseFilter): Promise<Page<LeaseRow>>;
  runs(filter?: RunFilter): Promise<Page<RunRow>>;
  run(name: string): Promise<RunRow | null>;
  /** By subject and issuer. */
  principals(request?: PageRequest & { readonly subject?: string }): Promise<Page<PrincipalRow>>;
  revocations(filter?: RevocationFilter): Promise<Page<RevocationRow>>;
  revocation(id: string): Promise<RevocationRow | null>;
  /** Of any of these revocations. */
  acknowledgements(revocations: readonly string[]): Promise<readonly AcknowledgementRow[]>;
  /** Who has ever announced itself, by name. */
  services(): Promise<readonly ServiceRow[]>;
  statistics(): Promise<Statistics>;
}

/** The read model in Postgres: a fold of the log that can be dropped and made again (P7). */
export interface Store extends StoreQueries {
  /** All of the batch, its offsets included, or nothing; once. Rejects with `STORE_GAP`, or `STORE_UNREACHABLE`: try again. */
  applyBatch(batch: Batch): Promise<Applied>;
  /** Where to read a partition from; 0 for one that was never read. */
  startOffset(topic: string, partition: number): Promise<bigint>;
  positions(): Promise<readonly OffsetRow[]>;
  beginRebuild(): Promise<Rebuild>;
  close(): Promise<void>;
}

/** Connects, and brings the tables up to date. Rejects with a `StoreError`; the caller tries again. */
export async function openStore({ url, schema = 'sallyport', limits: given }: StoreOptions): Promise<Store> {
  const limits = { ...STORE_LIMITS, ...given };
  const dataSource = await connect(url, schema, limits);
  const reading = { dataSource, schema, limits };
  return {
    applyBatch: (batch) => applyBatch(dataSource, schema, batch),
    async startOffset(topic, partition) {
      const position = (await positions(dataSource)).find((row) => row.topic === topic && row.partition === partition);
      return position?.resume ?? 0n;
    },
    positions: () => positions(dataSource),
    beginRebuild: () => beginRebuild({ dataSource, url, schema, limits }),
    sessions: async (filter = {}) => sessions(reading, filter),
    session: (id) => session(reading, id),
    operations: (id, range = {}) => operations(reading, id, range),
    events: (id, range = {}) => events(reading, id, range),
    allEvents: (id) => allEvents(reading, id),
    holds: async (filter = {}) => holds(reading, filter),
    hold: (id) => hold(reading, id),
    leases: async (filter = {}) => leases(reading, filter),
    runs: async (filter = {}) => runs(reading, filter),
    run: (name) => run(reading, name),
    principals: (request = {}) => principals(reading, request),
    revocations: async (filter = {}) => revocations(reading, filter),
    revocation: (id) => revocation(reading, id),
    acknowledgements: (of) => acknowledgements(reading, of),
    services: () => services(reading),
    statistics: () => statistics(reading),
    async close() {
      if (dataSource.isInitialized) await dataSource.destroy();
    },
  };
}
