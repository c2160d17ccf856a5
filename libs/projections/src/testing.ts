/** Logs for specs: sessions with everything that events can tell, the answers to their holds, their leases. */
import { controlEvent, generateSigningKey, leaseEvent, SessionStream } from '@sallyport/events';
import { exampleSession } from '@sallyport/events/examples';
import type { LogRecord } from './entry.js';

/** Signs the sessions. */
export const edgeKey = generateSigningKey('edge/test');
const timeMs = Date.UTC(2026, 0, 2, 3, 4, 6);
const hash = 'ab'.repeat(32);

export interface SampleSession {
  readonly id: string;
  readonly operations?: number;
  readonly end?: 'closed' | 'aborted' | 'open';
  /** Subjects who approve its hold, in this order. */
  readonly approvers?: readonly string[];
  /** Leaves the hold of the last operation without its outcome. */
  readonly waiting?: boolean;
  readonly run?: string;
}

/** The bytes of one session's stream. */
export function sessionBytes({ id, operations = 1, end = 'closed', waiting = false, run }: SampleSession): Buffer[] {
  const template = exampleSession(id, edgeKey, { operations, end: 'open' });
  const stream = new SessionStream({ session: id, source: '/edge/test', subject: 'crew-stock' }, edgeKey);
  const bytes: Buffer[] = [];
  const kept = waiting ? template.slice(0, -4) : template;
  for (const { event } of kept) {
    const data = { ...(event.data as object) } as Record<string, unknown>;
    if (event.type === 'session.opened') data['run'] = run ?? null;
    if ('hold' in data) data['hold'] = `${id}-h${String(data['operation'])}`;
    bytes.push(stream.event(event.type as 'operation.submitted', data as never, Date.parse(event.time)).bytes);
  }
  if (end === 'closed') {
    bytes.push(stream.close({ reason: 'client', operations, rows: 3, bytes: 42, denials: 1 }, timeMs + 5000).bytes);
  }
  if (end === 'aborted') bytes.push(stream.abort({ reason: 'killed', unfinished: waiting ? [operations] : [] }, timeMs + 5000).bytes);
  return bytes;
}

export function answerBytes(session: string, operation: number, subject: string, index: number, granted = true): Buffer {
  const by = { subject, issuer: 'https://idp.example.com', groups: ['dba'] };
  const data = { hold: `${session}-h${operation}`, hash, session, by, rules: [], revision: hash };
  const identity = { id: `${session}-${operation}-${index}`, source: '/decision/main', subject };
  return controlEvent(identity, granted ? 'approval.given' : 'approval.refused', data, timeMs + index).bytes;
}

/** An edge that announces itself, a revocation that it confirms, twice, and one that it doesn't. */
export function revocationBytes(session: string, edge: string, index: number): Buffer[] {
  const identity = (id: string, source: string) => ({ id: `${session}-${id}-${edge}`, source, subject: session });
  const sealKey = { kty: 'EC', crv: 'P-256', x: 'A'.repeat(43), y: 'A'.repeat(43) } as const;
  const announced = { service: edge, keyId: 'ab'.repeat(8), sealKey, installation: 'i', version: '0.1.0' };
  const by = { by: 'dana', reason: 'left' };
  const applied = { revocation: `${session}-r-${edge}`, sessions: 1 };
  const at = timeMs + index * 10;
  return [
    controlEvent(identity('a', `/${edge}`), 'service.announced', announced, at).bytes,
    controlEvent(identity('r', '/console/main'), 'session.revoked', { session, ...by }, at + 1).bytes,
    controlEvent(identity('p', '/console/main'), 'principal.revoked', { subject: `crew-${index % 3}`, ...by }, at + 2).bytes,
    controlEvent(identity('c', `/${edge}`), 'revocation.applied', applied, at + 3).bytes,
    controlEvent(identity('d', `/${edge}`), 'revocation.applied', { ...applied, sessions: 0 }, at + 4).bytes,
    // Of one that is not on the log.
    controlEvent(identity('e', `/${edge}`), 'revocation.applied', { revocation: 'elsewhere', sessions: 0 }, at + 5).bytes,
  ];
}

export function leaseBytes(session: string, ends: readonly ('lease.dropped' | 'lease.swept' | 'lease.failed')[]): Buffer[] {
  const role = { id: `${session}-l`, resource: 'shop', login: `sp_${session}` };
  const identity = (index: number) => ({ id: `${role.id}:${index}`, source: '/vendor/main', subject: role.id });
  const issued = { ...role, session, source: 'postgres-role' as const, profiles: ['reader'], expiresAtMs: timeMs + 900_000 };
  return [
    leaseEvent(identity(0), 'lease.issued', issued, timeMs).bytes,
    ...ends.map((type, index) =>
      type === 'lease.failed'
        ? leaseEvent(identity(index + 1), type, { ...role, code: 'LEASE_TARGET' }, timeMs + index + 1).bytes
        : leaseEvent(identity(index + 1), type, role, timeMs + index + 1).bytes,
    ),
  ];
}

/** Numbers bytes as the records of one partition, vouched for. */
export function records(topic: string, bytes: readonly Buffer[], from = 0n): LogRecord[] {
  return bytes.map((value, index) => ({ topic, partition: 0, offset: from + BigInt(index), bytes: value, vouched: true }));
}

/** Three streams with a bit of everything; sessions are interleaved. */
export function sampleLog(sessions = 4): { readonly sessions: Buffer[]; readonly control: Buffer[]; readonly leases: Buffer[] } {
  const made = Array.from({ length: sessions }, (_, index): SampleSession => {
    const end = (['closed', 'aborted', 'open', 'closed'] as const)[index % 4] ?? 'closed';
    return {
      id: `s-${index}`,
      operations: 1 + (index % 3),
      end,
      waiting: index % 4 !== 0,
      ...(index % 2 ? { run: `run-${index % 5}` } : {}),
    };
  });
  const streams = made.map(sessionBytes);
  const longest = Math.max(...streams.map(({ length }) => length));
  const interleaved = Array.from({ length: longest }, (_, index) => streams.flatMap((stream) => stream.slice(index, index + 1))).flat();
  return {
    sessions: interleaved,
    control: made.flatMap(({ id, operations = 1 }, index) => [
      answerBytes(id, operations, 'dana', 0),
      answerBytes(id, operations, 'dana', 1),
      answerBytes(id, operations, 'eve', 2, index % 3 !== 0),
      // To a request that is not on the log.
      answerBytes(id, 99, 'eve', 3),
      ...revocationBytes(id, `edge/e${index % 2}`, index),
    ]),
    leases: made.flatMap(({ id }, index) => leaseBytes(id, index % 2 ? ['lease.failed', 'lease.swept'] : ['lease.dropped'])),
  };
}
