import { z } from 'zod';
import type { SessionEvents } from '../session-events.js';
import type { Describes } from './equality.js';

const text = z.string();
const count = z.int().nonnegative();
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const rule = z.object({ path: text, title: text });
const rules = z.array(rule);
const actors = z.array(z.object({ subject: text, issuer: text.exactOptional() }));

const sessionOpened = z.object({
  session: text,
  principal: z.object({
    subject: text,
    issuer: text,
    provider: text,
    kind: z.enum(['workload', 'person']),
    groups: z.array(text),
    actors,
    run: text.exactOptional(),
    expiresAtMs: z.number(),
  }),
  resource: z.object({ name: text, kind: text, labels: z.record(text, text) }),
  database: text.exactOptional(),
  run: text.nullable(),
  client: z.object({ address: text, user: text, application: text, protocol: text, tls: z.boolean() }),
  audit: z.object({ mode: text, durability: text, record: text }),
  revision: text,
  rules,
  rulesOff: z.boolean(),
  profiles: z.array(text),
});

const leaseObtained = z.object({
  id: text,
  resource: text,
  source: z.enum(['postgres-role', 'static']),
  profiles: z.array(text),
  login: text,
  expiresAtMs: z.number(),
});

const access = z.enum(['read', 'write']);
const sqlStatement = z.object({
  kind: text,
  class: text,
  tables: z.array(z.object({ schema: text.nullable(), name: text, access })),
  columns: z.array(z.object({ table: text.nullable(), name: text, access, place: z.enum(['output', 'expression', 'target']) })),
  functions: z.array(text),
  hasWhere: z.boolean().nullable(),
  locks: text.nullable(),
  dynamic: z.boolean(),
  unresolved: z.array(text),
  setting: text.exactOptional(),
  name: text.exactOptional(),
  copy: z.enum(['stdin', 'stdout', 'file', 'program']).exactOptional(),
  limit: z.number().exactOptional(),
});

const operationSubmitted = z.object({
  operation: count,
  kind: z.literal('postgres'),
  class: text,
  text,
  textTruncated: z.boolean(),
  facts: z.object({
    kind: z.literal('postgres'),
    class: text,
    classes: z.array(text),
    parseable: z.boolean(),
    fingerprint: text,
    statements: z.array(sqlStatement),
    problem: text.exactOptional(),
  }),
  hash: text,
  verdict: z.object({
    decision: z.enum(['allow', 'deny', 'hold']),
    revision: text,
    rules,
    reasons: z.array(text),
    masks: z.array(z.object({ column: text, with: z.enum(['redact', 'null', 'partial', 'hash']) })),
    cacheKey: text,
    rulesOff: z.boolean(),
  }),
  input: z.object({
    session: z.object({ id: text, run: text.nullable(), operations: count, rows: count, bytes: count, denials: count }),
    time: text,
    parameters: z.array(text.nullable()).exactOptional(),
  }),
  masked: z.boolean(),
});

const approvalRequested = z.object({
  hold: text,
  operation: count,
  hash: text,
  resource: z.object({ name: text, kind: text, labels: z.record(text, text) }),
  text,
  class: text,
  requester: z.object({ subject: text, issuer: text, provider: text, kind: z.enum(['workload', 'person']), groups: z.array(text), actors }),
  rules,
  revision: text,
  groups: z.array(text),
  needed: count,
  windowMs: z.number().nonnegative(),
  expires: text,
});

const approvalApplied = z.object({
  hold: text,
  operation: count,
  outcome: z.enum(['granted', 'denied', 'expired', 'cancelled']),
  by: z.array(z.object({ subject: text, issuer: text, comment: text.exactOptional() })),
  windowEnds: text.exactOptional(),
});

const operationCompleted = z.object({
  operation: count,
  outcome: z.enum(['ok', 'error', 'refused', 'cancelled', 'lost']),
  tag: text,
  rows: count,
  bytes: count,
  durationMicros: z.number().nonnegative(),
  error: z.object({ code: text, message: text.exactOptional() }).exactOptional(),
  digest: text,
  masked: z.record(text, z.number()),
});

const outputRecorded = z.object({
  operation: count,
  stream: z.literal('rows'),
  chunk: count,
  columns: z.array(text).exactOptional(),
  rows: z.array(z.array(text.nullable())),
  truncated: z.boolean(),
});

const secretObserved = z.object({ operation: count, kind: text, fingerprint: text, place: text });

const proof = {
  detail: text.exactOptional(),
  count,
  head: sha256,
  key: z.string().regex(/^[0-9a-f]{16}$/),
  signature: z.string().regex(/^[A-Za-z0-9+/]{86}==$/),
};

const sessionClosed = z.object({
  reason: z.enum(['client', 'target', 'revoked', 'expired', 'shutdown', 'limit', 'record', 'error', 'refused']),
  operations: count,
  rows: count,
  bytes: count,
  denials: count,
  ...proof,
});

const sessionAborted = z.object({ reason: z.literal('killed'), unfinished: z.array(count), ...proof });

export const sessionSchemas = {
  'session.opened': sessionOpened,
  'lease.obtained': leaseObtained,
  'operation.submitted': operationSubmitted,
  'approval.requested': approvalRequested,
  'approval.applied': approvalApplied,
  'operation.completed': operationCompleted,
  'output.recorded': outputRecorded,
  'secret.observed': secretObserved,
  'session.closed': sessionClosed,
  'session.aborted': sessionAborted,
};

/** Fails to compile, naming the event, when a schema and its interface differ. */
export const sessionSchemasDescribe: {
  [Type in keyof SessionEvents]: Describes<SessionEvents[Type], z.infer<(typeof sessionSchemas)[Type]>>;
} = {
  'session.opened': true,
  'lease.obtained': true,
  'operation.submitted': true,
  'approval.requested': true,
  'approval.applied': true,
  'operation.completed': true,
  'output.recorded': true,
  'secret.observed': true,
  'session.closed': true,
  'session.aborted': true,
};
