import { TOPICS } from '@sallyport/bus';
import { chainHash, SessionStream, generateSigningKey } from '@sallyport/events';
import fc from 'fast-check';
import { readEntry } from './entry.js';
import type { LogEntry, LogRecord } from './entry.js';
import { HOLD_ANSWERS_MAX } from './hold.js';
import { evolveRun, RUN_PRINCIPALS_MAX } from './run.js';
import type { RunRow } from './run.js';
import { EMPTY, fold, merged, operationKey, touched } from './tables.js';
import type { Tables } from './tables.js';
import { acknowledgementKey } from './revocation.js';
import { answerBytes, leaseBytes, records, revocationBytes, sampleLog, sessionBytes } from './testing.js';
import { keyText } from './values.js';

const read = (topic: string, bytes: readonly Buffer[]): LogEntry[] => records(topic, bytes).map(readEntry);
const all = (entries: readonly LogEntry[]): Tables => merged(EMPTY, fold(EMPTY, entries));

/** Plain and sorted, for comparison. */
function plain(tables: Tables): unknown {
  return Object.fromEntries(
    Object.entries(tables).map(([name, rows]) => [name, [...(rows as Map<string, unknown>)].sort(([a], [b]) => (a < b ? -1 : 1))]),
  );
}

/** What a database does: loads only the rows that `touched` names. */
function narrowed(tables: Tables, entries: readonly LogEntry[]): Tables {
  const keys = touched(entries);
  const pick = <Row>(rows: ReadonlyMap<string, Row>, wanted: (key: string, row: Row) => boolean): Map<string, Row> =>
    new Map([...rows].filter(([key, row]) => wanted(key, row)));
  const sessions = pick(tables.sessions, (key) => keys.sessions.has(key));
  const runs = new Set([...keys.runs, ...[...sessions.values()].map(({ run }) => run)]);
  return {
    sessions,
    operations: pick(tables.operations, (key) => keys.operations.has(key)),
    holds: pick(tables.holds, (key, { session }) => keys.holds.has(key) || keys.holdsOf.has(session)),
    leases: pick(tables.leases, (key) => keys.leases.has(key)),
    runs: pick(tables.runs, (key) => runs.has(key)),
    services: pick(tables.services, (key) => keys.services.has(key)),
    revocations: pick(tables.revocations, (key) => keys.revocations.has(key)),
    acknowledgements: pick(tables.acknowledgements, (key) => keys.acknowledgements.has(key)),
  };
}

const log = sampleLog(8);
const streams: readonly LogEntry[][] = [
  read(TOPICS.sessions, log.sessions),
  read(TOPICS.control, log.control),
  read(TOPICS.leases, log.leases),
];

describe('fold', () => {
  it('P7: gives the same rows in any split into batches, any interleaving of topics, and with any batch delivered again', () => {
    const expected = plain(all(streams.flat()));
    const property = fc.property(
      fc.array(fc.record({ stream: fc.nat(2), size: fc.integer({ min: 1, max: 20 }), again: fc.boolean() }), {
        minLength: 5,
        maxLength: 60,
      }),
      (cuts) => {
        const left = streams.map((stream) => [...stream]);
        let tables = EMPTY;
        const apply = (batch: readonly LogEntry[]): void => {
          tables = merged(tables, fold(narrowed(tables, batch), batch));
        };
        for (const { stream, size, again } of cuts) {
          const batch = left[stream]!.splice(0, size);
          apply(batch);
          if (again) apply(batch);
        }
        for (const rest of left.reverse()) apply(rest);
        expect(plain(tables)).toEqual(expected);
      },
    );
    fc.assert(property, { numRuns: 60 });
  });

  it('leaves what it was given as it was', () => {
    const before = all(streams.flat().slice(0, 20));
    const copy = structuredClone(before);
    fold(before, streams.flat().slice(20));
    expect(before).toEqual(copy);
  });
});

describe('sessions, operations and runs', () => {
  it('tell a session from its opening to its end', () => {
    const bytes = sessionBytes({ id: 's-1', operations: 2, run: 'run-7' });
    const tables = all(read(TOPICS.sessions, bytes));
    expect(tables.sessions.get('s-1')).toMatchObject({
      subject: 'crew-stock',
      issuer: 'https://idp.example.com',
      groups: ['analysts'],
      actors: [{ subject: 'dana' }, { subject: 'crew', issuer: 'https://idp.example.com' }],
      resource: 'shop',
      resourceKind: 'postgres',
      database: 'shop',
      run: 'run-7',
      state: 'closed',
      opened: '2026-01-02T03:04:05.678Z',
      closed: '2026-01-02T03:04:11.000Z',
      reason: 'client',
      profiles: ['reader'],
      operations: 2,
      rows: 3,
      bytes: 42,
      denials: 1,
      events: bytes.length,
      sequence: bytes.length - 1,
      head: chainHash(bytes.at(-1)!),
    });
    expect(tables.operations.get(operationKey('s-1', 2))).toMatchObject({
      class: 'postgres.write.update',
      decision: 'hold',
      outcome: 'error',
      errorCode: '23505',
      durationMicros: 12.5,
      masked: { 'public.customers.email': 2 },
      completed: '2026-01-02T03:04:05.678Z',
    });
    expect(tables.runs.get('run-7')).toMatchObject({ sessions: 1, open: 0, operations: 2, rows: 3, bytes: 42, denials: 1 });
  });

  it('call an operation lost when its session was aborted under it', () => {
    const tables = all(read(TOPICS.sessions, sessionBytes({ id: 's-1', operations: 2, end: 'aborted', waiting: true })));
    expect(tables.sessions.get('s-1')).toMatchObject({ state: 'aborted', reason: 'killed' });
    expect(tables.operations.get(operationKey('s-1', 1))?.outcome).toBe('error');
    expect(tables.operations.get(operationKey('s-1', 2))?.outcome).toBe('lost');
  });

  it('count an event of a type from the future, and show a stream whose beginning is missing', () => {
    const stream = new SessionStream({ session: 's-1', source: '/edge/test', subject: 'x' }, generateSigningKey('edge/test'));
    const bytes = [0, 1, 2].map(() => stream.event('operation.paused' as never, { why: 1 } as never, 1).bytes);
    const [first, ...rest] = read(TOPICS.sessions, bytes);
    expect(first!.reading.stream).toBe('session-unknown');
    expect(all(rest).sessions.get('s-1')).toMatchObject({ state: 'open', subject: 'x', events: 2, sequence: 2 });
  });
});

describe('holds', () => {
  const waiting = sessionBytes({ id: 's-1', operations: 1, end: 'open', waiting: true });
  const holdOf = (session: readonly Buffer[], control: readonly Buffer[]) =>
    all([...read(TOPICS.sessions, session), ...read(TOPICS.control, control)]).holds.get('s-1/s-1-h1');

  it('count each person once, and never the requester', () => {
    expect(holdOf(waiting, [])).toMatchObject({ state: 'waiting', given: [], needed: 1, groups: ['dba'], windowEnds: null });
    expect(holdOf(waiting, [answerBytes('s-1', 1, 'crew-stock', 0)])).toMatchObject({ state: 'waiting', given: [] });
    expect(holdOf(waiting, [answerBytes('s-1', 1, 'dana', 0), answerBytes('s-1', 1, 'dana', 1)])).toMatchObject({
      state: 'granted',
      given: [{ subject: 'dana', at: '2026-01-02T03:04:06.000Z' }],
      windowEnds: '2026-01-02T03:14:06.000Z',
    });
    expect(holdOf(waiting, [answerBytes('s-1', 1, 'dana', 0, false)])).toMatchObject({ state: 'denied' });
  });

  it('do not count an answer for another operation, and no approval that stands on the sessions topic', () => {
    const other = Buffer.from(answerBytes('s-1', 1, 'dana', 0).toString().replaceAll('ab'.repeat(32), 'cd'.repeat(32)));
    expect(holdOf(waiting, [other])).toMatchObject({ state: 'waiting', given: [], answers: [{ subject: 'dana' }] });
    const forged = read(TOPICS.sessions, [...waiting, answerBytes('s-1', 1, 'dana', 0)]);
    expect(forged.at(-1)!.reading.stream).toBe('other');
    expect(all(forged).holds.get('s-1/s-1-h1')).toMatchObject({ state: 'waiting' });
  });

  it('are cancelled with their session, and are what the edge says they are', () => {
    const given = [answerBytes('s-1', 1, 'dana', 0)];
    expect(holdOf(sessionBytes({ id: 's-1', end: 'closed', waiting: true }), given)).toMatchObject({ state: 'cancelled' });
    expect(holdOf(sessionBytes({ id: 's-1', end: 'aborted', waiting: true }), [])).toMatchObject({ state: 'cancelled' });
    expect(holdOf(sessionBytes({ id: 's-1', end: 'closed' }), given)).toMatchObject({
      state: 'granted',
      windowEnds: '2026-01-02T03:14:05.678Z',
      by: [{ subject: 'dana', comment: 'fine' }],
    });
  });
});

describe('limits', () => {
  const earliest = (size: number, person: (index: number) => string): string[] => Array.from({ length: size }, (_, index) => person(index));

  it('keep the earliest answers of a hold, in whatever order they come', () => {
    const answers = earliest(HOLD_ANSWERS_MAX + 50, (index) => `p-${index}`).map((who, index) => answerBytes('s-1', 1, who, index));
    const [forth, back] = [answers, [...answers].reverse()].map((control) => all(read(TOPICS.control, control)).holds.get('s-1/s-1-h1'));
    expect(forth!.answers).toHaveLength(HOLD_ANSWERS_MAX);
    expect(back).toEqual(forth);
  });

  it('name so many principals of a run, and say that there are more', () => {
    const row = all(read(TOPICS.sessions, sessionBytes({ id: 's-1', run: 'r' }))).sessions.get('s-1')!;
    const rows = earliest(RUN_PRINCIPALS_MAX + 1, (index) => `p-${index}`).map((subject) => ({ ...row, id: subject, subject }));
    const runs = [rows, [...rows].reverse(), rows.slice(1)].map((sessions) =>
      sessions.reduce<RunRow | undefined>((run, session) => evolveRun(run, undefined, session), undefined),
    );
    expect(runs[0]).toMatchObject({ sessions: RUN_PRINCIPALS_MAX + 1, principalsTruncated: true });
    expect(runs[0]!.principals).toHaveLength(RUN_PRINCIPALS_MAX);
    expect(runs[1]).toEqual(runs[0]);
    expect(runs[2]).toMatchObject({ principalsTruncated: false });
  });
});

describe('leases', () => {
  it('end once, after as many failures as it takes', () => {
    const state = (...ends: Parameters<typeof leaseBytes>[1]) => all(read(TOPICS.leases, leaseBytes('s-1', ends))).leases.get('s-1-l');
    expect(state()).toMatchObject({ state: 'issued', session: 's-1', login: 'sp_s-1', ended: null });
    expect(state('lease.failed')).toMatchObject({ state: 'failed', failure: 'LEASE_TARGET', ended: null });
    expect(state('lease.failed', 'lease.dropped', 'lease.swept')).toMatchObject({ state: 'dropped', ended: '2026-01-02T03:04:06.002Z' });
  });
});

describe('readEntry', () => {
  const record = (bytes: Buffer): LogRecord => records(TOPICS.sessions, [bytes])[0]!;

  it('keeps what is no event, with the reason', () => {
    expect(readEntry(record(Buffer.from('{'))).reading).toEqual({ stream: 'unreadable', code: 'EVENT_MALFORMED' });
    expect(readEntry({ ...record(Buffer.from('x')), problem: 'EVENT_CHUNK_GAP' }).reading).toEqual({
      stream: 'unreadable',
      code: 'EVENT_CHUNK_GAP',
    });
  });

  it('reads what a text column can not hold as U+FFFD, and leaves the bytes alone', () => {
    const data = { why: 'a\u0000b', lone: '\ud800', pair: '😀', back: '\\u0000' };
    const stream = new SessionStream({ session: 's-1', source: '/edge/test', subject: 'x\u0000' }, generateSigningKey('edge/test'));
    const { bytes } = stream.event('later' as never, data as never, 1);
    const pairEscaped = Buffer.from(bytes.toString().replace('😀', '\\ud83d\\ude00'));
    for (const written of [bytes, pairEscaped]) {
      const { reading, record: kept } = readEntry(record(written));
      expect(reading).toMatchObject({
        event: { subject: 'x\ufffd', data: { why: 'a\ufffdb', lone: '\ufffd', pair: '😀', back: '\\u0000' } },
      });
      expect(kept.bytes).toBe(written);
    }
  });

  it('bounds keys, and keeps them apart', () => {
    const long = 'é'.repeat(10_000);
    expect(keyText(long).length).toBeLessThanOrEqual(256);
    expect(keyText(`${long}x`)).not.toBe(keyText(long));
    expect(keyText('short')).toBe('short');
    expect(keyText('😀'.repeat(500))).not.toMatch(/[\ud800-\udbff](?![\udc00-\udfff])/);
  });
});

describe('revocations', () => {
  const control = revocationBytes('s-1', 'edge/e1', 1);

  it('P10: show who was revoked by whom, and which edge has confirmed it, once', () => {
    const tables = all(read(TOPICS.control, [...control, ...control]));
    expect(tables.services.get('edge/e1')).toMatchObject({ role: 'edge', keyId: 'ab'.repeat(8), first: '2026-01-02T03:04:06.010Z' });
    expect([...tables.revocations.values()]).toMatchObject([
      {
        id: 's-1-r-edge/e1',
        kind: 'session',
        session: 's-1',
        subject: null,
        by: 'dana',
        reason: 'left',
        revoked: '2026-01-02T03:04:06.011Z',
      },
      { id: 's-1-p-edge/e1', kind: 'principal', session: null, subject: 'crew-1', issuer: null },
    ]);
    expect(tables.acknowledgements.get(acknowledgementKey('s-1-r-edge/e1', 'edge/e1'))).toEqual({
      revocation: 's-1-r-edge/e1',
      edge: 'edge/e1',
      confirmed: '2026-01-02T03:04:06.013Z',
      sessions: 1,
    });
    // Of what nobody has revoked: kept, and nothing is made of it.
    expect(tables.acknowledgements.size).toBe(2);
  });

  it('P10: a second request for a hold, with another text, changes nothing of what approvers are shown', () => {
    const [first, second] = ['UPDATE stock', 'SELECT 1'].map((text) => {
      const stream = new SessionStream({ session: 's-1', source: '/edge/test', subject: 'x' }, generateSigningKey('edge/test'));
      stream.event('operation.paused' as never, {} as never, 1);
      const requested = read(TOPICS.sessions, sessionBytes({ id: 's-1', end: 'open', waiting: true })).find(
        ({ reading }) => 'event' in reading && reading.event.type === 'approval.requested',
      )!.reading as unknown as { event: { data: object } };
      const events = [0, 1, 2, 3].map((at) => stream.event('approval.requested', { ...requested.event.data, text } as never, at).bytes);
      return text === 'SELECT 1' ? events[3]! : events[0]!;
    });
    const [hold] = all(read(TOPICS.sessions, [first!, second!])).holds.values();
    expect(hold).toMatchObject({ text: 'UPDATE stock', state: 'waiting' });
    // One that its edge did not sign is an event of the session, and no hold, although it is read first.
    const forged = readEntry({ topic: TOPICS.sessions, partition: 1, offset: 0n, bytes: first! });
    const tables = all([forged, ...read(TOPICS.sessions, [second!])]);
    expect([...tables.holds.values()]).toMatchObject([{ text: 'SELECT 1' }]);
    expect(tables.sessions.get('s-1')?.events).toBe(2);
  });
});
