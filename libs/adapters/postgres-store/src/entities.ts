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
import { EntitySchema } from 'typeorm';
import { columnsOf, entityColumn } from './columns.js';
import type { Column, ColumnKinds } from './columns.js';

/** One event as it stands on its topic: what every other table is made of. */
export interface EventRow {
  readonly topic: string;
  readonly partition: number;
  /** Of its last record. */
  readonly offset: bigint;
  /** With `sequence`, for an event of a session's stream. */
  readonly session: string | null;
  readonly sequence: number | null;
  readonly identity: string | null;
  readonly type: string | null;
  readonly time: string | null;
  readonly subject: string | null;
  /** Why it can't be read as an event. */
  readonly problem: string | null;
  /** As written. */
  readonly bytes: Buffer;
}

/** How far a partition is in the tables. */
export interface OffsetRow {
  readonly topic: string;
  readonly partition: number;
  /** Every record before it is in. */
  readonly next: bigint;
  /** Where to read on from: before `next` when an event is begun and not complete there. */
  readonly resume: bigint;
}

/** A table, its entity, and its columns in one order for COPY. */
export interface Table<Row extends object> {
  readonly name: string;
  readonly key: readonly (keyof Row & string)[];
  readonly columns: readonly Column<Row>[];
  readonly entity: EntitySchema<Row>;
}

function table<Row extends object>(name: string, key: readonly (keyof Row & string)[], kinds: ColumnKinds<Row>): Table<Row> {
  const columns = columnsOf(kinds);
  const entity = new EntitySchema<Row>({
    name,
    tableName: name,
    columns: Object.fromEntries(columns.map((column) => [column.property, entityColumn(column, key.includes(column.property))])) as never,
  });
  return { name, key, columns, entity };
}

export const SESSIONS = table<SessionRow>('sessions', ['id'], {
  id: 'text',
  subject: 'text',
  issuer: 'text',
  principalKind: 'text',
  groups: 'json',
  actors: 'json',
  resource: 'text',
  resourceKind: 'text',
  labels: 'json',
  database: 'text?',
  run: 'text?',
  state: 'text',
  opened: 'time',
  closed: 'time?',
  lastSeen: 'time',
  reason: 'text?',
  detail: 'text?',
  revision: 'text',
  profiles: 'json',
  rulesOff: 'flag',
  operations: 'count',
  rows: 'count',
  bytes: 'count',
  denials: 'count',
  client: 'json?',
  source: 'text',
  events: 'count',
  sequence: 'integer',
  head: 'text',
});

export const OPERATIONS = table<OperationRow>('operations', ['session', 'operation'], {
  session: 'text',
  operation: 'count',
  class: 'text',
  text: 'text',
  fingerprint: 'text',
  hash: 'text',
  decision: 'text?',
  rules: 'json',
  reasons: 'json',
  revision: 'text',
  submitted: 'time?',
  completed: 'time?',
  outcome: 'text?',
  tag: 'text',
  rows: 'count',
  bytes: 'count',
  durationMicros: 'double?',
  errorCode: 'text?',
  masked: 'json',
});

export const HOLDS = table<HoldRow>('holds', ['session', 'id'], {
  session: 'text',
  id: 'text',
  operation: 'count?',
  hash: 'text',
  resource: 'text',
  resourceKind: 'text',
  text: 'text',
  class: 'text',
  requester: 'json?',
  rules: 'json',
  revision: 'text',
  groups: 'json',
  needed: 'count',
  windowMs: 'double',
  requested: 'time?',
  expires: 'time?',
  answers: 'json',
  outcome: 'text?',
  by: 'json',
  appliedWindowEnds: 'time?',
  sessionEnded: 'flag',
  state: 'text',
  given: 'json',
  windowEnds: 'time?',
});

export const LEASES = table<LeaseRow>('leases', ['id'], {
  id: 'text',
  session: 'text',
  resource: 'text',
  source: 'text',
  login: 'text',
  profiles: 'json',
  state: 'text',
  failure: 'text?',
  issued: 'time?',
  expires: 'time?',
  ended: 'time?',
});

export const RUNS = table<RunRow>('runs', ['run'], {
  run: 'text',
  principals: 'json',
  principalsTruncated: 'flag',
  sessions: 'count',
  open: 'count',
  operations: 'count',
  rows: 'count',
  bytes: 'count',
  denials: 'count',
  firstSeen: 'time',
  lastSeen: 'time',
});

export const SERVICES = table<ServiceRow>('services', ['name'], {
  name: 'text',
  role: 'text',
  keyId: 'text',
  installation: 'text',
  version: 'text',
  first: 'time',
  last: 'time',
});

export const REVOCATIONS = table<RevocationRow>('revocations', ['id'], {
  id: 'text',
  kind: 'text',
  subject: 'text?',
  issuer: 'text?',
  session: 'text?',
  by: 'text',
  reason: 'text',
  revoked: 'time',
  source: 'text',
});

export const ACKNOWLEDGEMENTS = table<AcknowledgementRow>('acknowledgements', ['revocation', 'edge'], {
  revocation: 'text',
  edge: 'text',
  confirmed: 'time',
  sessions: 'count',
});

export const EVENTS = table<EventRow>('events', ['topic', 'partition', 'offset'], {
  topic: 'text',
  partition: 'integer',
  offset: 'offset',
  session: 'text?',
  sequence: 'integer?',
  identity: 'text?',
  type: 'text?',
  time: 'time?',
  subject: 'text?',
  problem: 'text?',
  bytes: 'bytes',
});

export const OFFSETS = table<OffsetRow>('offsets', ['topic', 'partition'], {
  topic: 'text',
  partition: 'integer',
  next: 'offset',
  resume: 'offset',
});

/** All that is made from the log, and how far. */
export const TABLES = [SESSIONS, OPERATIONS, HOLDS, LEASES, RUNS, SERVICES, REVOCATIONS, ACKNOWLEDGEMENTS, EVENTS, OFFSETS] as const;
