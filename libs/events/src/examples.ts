/** One event of every type, as the services write them: what the schemas are tried on. */
import { SessionStream } from './chain.js';
import type { SigningKey } from './keys.js';
import { controlEvent, leaseEvent } from './plain-events.js';
import type { Written } from './typed-events.js';

const hash = 'ab'.repeat(32);
const rules = [{ path: 'sallyport.grants', title: 'analysts read the shop' }];
const by = { subject: 'dana', issuer: 'https://idp.example.com', groups: ['dba'] };
const timeMs = Date.UTC(2026, 0, 2, 3, 4, 5, 678);

export interface ExampleSession {
  /** 1 when absent: the others are like it. */
  readonly operations?: number;
  readonly end?: 'closed' | 'aborted' | 'open';
}

/** The stream of one session, from its opening to its end. */
export function exampleSession(
  session: string,
  key: SigningKey,
  { operations = 1, end = 'closed' }: ExampleSession = {},
): readonly Written[] {
  const stream = new SessionStream({ session, source: `/${key.name}`, subject: 'crew-stock' }, key);
  return [
    stream.event(
      'session.opened',
      {
        session,
        principal: {
          subject: 'crew-stock',
          issuer: 'https://idp.example.com',
          provider: 'corp',
          kind: 'workload',
          groups: ['analysts'],
          actors: [{ subject: 'dana' }, { subject: 'crew', issuer: 'https://idp.example.com' }],
          expiresAtMs: timeMs + 900_000,
        },
        resource: { name: 'shop', kind: 'postgres', labels: { env: 'prod' } },
        database: 'shop',
        run: null,
        client: { address: '127.0.0.1', user: 'agent', application: 'app', protocol: '3.2', tls: false },
        audit: { mode: 'strict', durability: 'disk', record: 'full' },
        revision: hash,
        rules,
        rulesOff: false,
        profiles: ['reader'],
      },
      timeMs,
    ),
    stream.event(
      'lease.obtained',
      { id: 'l-1', resource: 'shop', source: 'postgres-role', profiles: ['reader'], login: 'sp_1', expiresAtMs: timeMs + 1 },
      timeMs,
    ),
    ...Array.from({ length: operations }, (_, index) => exampleOperation(stream, index + 1)).flat(),
    ...(end === 'closed'
      ? [stream.close({ reason: 'client', detail: 'terminate', operations, rows: 0, bytes: 0, denials: 0 }, timeMs)]
      : []),
    ...(end === 'aborted' ? [stream.abort({ reason: 'killed', unfinished: [] }, timeMs)] : []),
  ];
}

/** An update that a person approves and a constraint then refuses. */
function exampleOperation(stream: SessionStream, operation: number): readonly Written[] {
  const { session } = stream.state;
  return [
    stream.event(
      'operation.submitted',
      {
        operation,
        kind: 'postgres',
        class: 'postgres.write.update',
        text: 'UPDATE stock SET n = $1 WHERE id = $2',
        textTruncated: false,
        facts: {
          kind: 'postgres',
          class: 'postgres.write.update',
          classes: ['postgres.write.update'],
          parseable: true,
          fingerprint: 'f00d',
          statements: [
            {
              kind: 'update',
              class: 'postgres.write.update',
              tables: [{ schema: null, name: 'stock', access: 'write' }],
              columns: [{ table: 'stock', name: 'n', access: 'write', place: 'target' }],
              functions: [],
              hasWhere: true,
              locks: null,
              dynamic: false,
              unresolved: [],
            },
          ],
        },
        hash,
        verdict: {
          decision: 'hold',
          revision: hash,
          rules,
          reasons: ['a write needs a DBA'],
          masks: [{ column: 'public.customers.email', with: 'partial' }],
          cacheKey: hash,
          rulesOff: false,
        },
        input: {
          session: { id: session, run: null, operations: 0, rows: 0, bytes: 0, denials: 0 },
          time: '2026-01-02T03:04:05Z',
          parameters: ['5', null],
        },
        masked: false,
      },
      timeMs,
    ),
    stream.event(
      'approval.requested',
      {
        hold: 'h-1',
        operation,
        hash,
        resource: { name: 'shop', kind: 'postgres', labels: { env: 'prod' } },
        text: 'UPDATE stock SET n = $1 WHERE id = $2',
        class: 'postgres.write.update',
        requester: {
          subject: 'crew-stock',
          issuer: 'https://idp.example.com',
          provider: 'corp',
          kind: 'workload',
          groups: [],
          actors: [],
        },
        rules,
        revision: hash,
        groups: ['dba'],
        needed: 1,
        windowMs: 600_000,
        expires: '2026-01-02T03:19:05.678Z',
      },
      timeMs,
    ),
    stream.event(
      'approval.applied',
      {
        hold: 'h-1',
        operation,
        outcome: 'granted',
        by: [{ subject: by.subject, issuer: by.issuer, comment: 'fine' }],
        windowEnds: '2026-01-02T03:14:05.678Z',
      },
      timeMs,
    ),
    stream.event(
      'output.recorded',
      { operation, stream: 'rows', chunk: 0, columns: ['n'], rows: [['5'], [null]], truncated: false },
      timeMs,
    ),
    stream.event('secret.observed', { operation, kind: 'aws-key', fingerprint: hash, place: 'row 1, column n' }, timeMs),
    stream.event(
      'operation.completed',
      {
        operation,
        outcome: 'error',
        tag: '',
        rows: 0,
        bytes: 0,
        durationMicros: 12.5,
        error: { code: '23505' },
        digest: hash,
        masked: { 'public.customers.email': 2 },
      },
      timeMs,
    ),
  ];
}

export function examplePlainEvents(): readonly Written[] {
  const control = (id: string) => ({ id, source: '/console/main', subject: 'crew-stock' });
  const lease = (id: string) => ({ id, source: '/vendor/main', subject: 'crew-stock' });
  const role = { id: 'l-1', resource: 'shop', login: 'sp_1' };
  const given = { hold: 'h-1', hash, session: 's-1', by, rules, revision: hash };
  return [
    controlEvent(control('c:0'), 'policy.activated', { revision: hash, bundle: hash, grants: hash }, timeMs),
    controlEvent(control('c:1'), 'approval.given', { ...given, comment: 'fine' }, timeMs),
    controlEvent(control('c:2'), 'approval.refused', given, timeMs),
    controlEvent(control('c:3'), 'principal.revoked', { subject: 'crew-stock', by: 'dana', reason: 'leaked' }, timeMs),
    controlEvent(control('c:4'), 'session.revoked', { session: 's-1', by: 'dana', reason: 'leaked' }, timeMs),
    controlEvent(
      { ...control('c:5'), source: '/edge/e1' },
      'service.announced',
      {
        service: 'edge/e1',
        keyId: hash.slice(0, 16),
        sealKey: { kty: 'EC', crv: 'P-256', x: 'x', y: 'y' },
        installation: '0123456789',
        version: '0.1.0',
      },
      timeMs,
    ),
    controlEvent({ ...control('c:6'), source: '/edge/e1' }, 'revocation.applied', { revocation: 'c:3', sessions: 2 }, timeMs),
    leaseEvent(
      lease('l:0'),
      'lease.issued',
      { ...role, session: 's-1', source: 'postgres-role', profiles: ['reader'], expiresAtMs: timeMs, holder: 'edge/e1' },
      timeMs,
    ),
    leaseEvent(lease('l:1'), 'lease.dropped', role, timeMs),
    leaseEvent(lease('l:2'), 'lease.swept', role, timeMs),
    leaseEvent(lease('l:3'), 'lease.failed', { ...role, code: 'LEASE_TARGET_AWAY' }, timeMs),
  ];
}
