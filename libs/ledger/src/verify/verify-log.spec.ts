import { chainHash, closingStatement, generateSigningKey } from '@sallyport/events';
import type { SessionEnvelope } from '@sallyport/events';
import { exampleSession } from '@sallyport/events/examples';
import * as fc from 'fast-check';
import { parseCheckpoint, signCheckpoint } from '../checkpoint.js';
import { LOG, edgeKey, inputOf, interleave, ledgerKey, sampleLog, signLog, trusted } from './sample-log.js';
import type { SampleLog } from './sample-log.js';
import { CHECKPOINTS_AHEAD } from './checkpoints.js';
import { verifyLog } from './verify-log.js';
import type { VerifyLogInput } from './verify-log.js';

const read = (bytes: Buffer) => JSON.parse(bytes.toString()) as SessionEnvelope<string, Record<string, unknown>>;
const edit = (bytes: Buffer, change: object) => Buffer.from(JSON.stringify({ ...read(bytes), ...change }));
const isClosing = (bytes: Buffer) => /^session\.(closed|aborted)$/.test(read(bytes).type);

async function codes(log: SampleLog, change: Partial<VerifyLogInput> = {}) {
  const { integrity, completeness } = await verifyLog(inputOf(log, change));
  return { integrity: integrity.problems.map(({ code }) => code), completeness: completeness.problems.map(({ code }) => code) };
}

describe('verifyLog on a log as written', () => {
  it('P6: finds nothing wrong', async () => {
    const log = sampleLog();
    const report = await verifyLog(inputOf(log));
    expect(report).toMatchObject({
      log: LOG,
      integrity: { ok: true, problems: [], count: 0 },
      completeness: { ok: true, problems: [], count: 0 },
      sessions: { opened: 3, closed: 2, aborted: 1, open: [] },
      events: log.events.length,
      redelivered: 0,
      checkpoints: { count: log.notes.length, covered: log.events.length },
      head: { size: log.events.length, root: parseCheckpoint(log.notes.at(-1)!).root.toString('base64') },
      uncovered: 0,
      keys: 'given',
      notes: [],
    });
  });

  it('P6: finds nothing wrong in any order of any sessions, read from an async source', async () => {
    const session = fc.record({ operations: fc.nat(3), end: fc.constantFrom('closed', 'aborted', 'open') });
    await fc.assert(
      fc.asyncProperty(
        fc.array(session, { maxLength: 5 }),
        fc.array(fc.nat(9), { minLength: 1, maxLength: 12 }),
        async (sessions, order) => {
          const { items, checkpoints, ...input } = inputOf(sampleLog(sessions, order));
          async function* slow<T>(source: AsyncIterable<T> | Iterable<T>) {
            for await (const item of source) yield item;
          }
          const report = await verifyLog({ ...input, items: slow(items), checkpoints: slow(checkpoints) });
          expect([report.integrity.problems, report.completeness.problems]).toEqual([[], []]);
          expect(report.sessions.open).toHaveLength(sessions.filter(({ end }) => end === 'open').length);
        },
      ),
      { numRuns: 50 },
    );
  });

  it('P6: counts what was delivered twice with equal bytes, and lists open sessions', async () => {
    const events = interleave([{ operations: 2, end: 'open' }, {}], [0, 1]);
    const twice = [...events, ...events.slice(-6), events[0]!];
    const report = await verifyLog(inputOf({ events: twice, notes: signLog(twice) }));
    expect(report).toMatchObject({
      integrity: { ok: true },
      completeness: { ok: true },
      redelivered: 7,
      sessions: { open: ['s-0'] },
      notes: ['1 session has no end yet.'],
    });
  });

  it('P6: says what no checkpoint covers', async () => {
    const { events } = sampleLog();
    const report = await verifyLog(inputOf({ events, notes: signLog(events.slice(0, -2)) }));
    expect(report).toMatchObject({ integrity: { ok: true }, completeness: { ok: true }, uncovered: 2 });
    expect(report.notes[0]).toMatch(/^2 events are newer than the newest checkpoint/);
  });

  it('P6: verifies a log of plain events, which have no chain', async () => {
    const { events } = sampleLog();
    const plain = events.map((bytes) => edit(bytes, { sessionid: undefined, sequence: undefined, prev: undefined }));
    expect(await codes({ events: plain, notes: signLog(plain) }, { chained: false })).toEqual({ integrity: [], completeness: [] });
    expect((await codes({ events: plain, notes: signLog(plain) })).integrity).toContain('EVENT_MISPLACED');
    expect((await codes({ events: [Buffer.from('x')], notes: signLog([Buffer.from('x')]) }, { chained: false })).integrity).toEqual([
      'EVENT_MALFORMED',
    ]);
  });
});

describe('verifyLog against who can write to a copy', () => {
  const log = sampleLog();
  const position = fc.nat(log.events.length - 1);

  it('P6: finds any single byte changed, in any event', async () => {
    await fc.assert(
      fc.asyncProperty(position, fc.nat(), fc.integer({ min: 1, max: 255 }), async (index, at, flip) => {
        const events = [...log.events];
        const bytes = Buffer.from(events[index]!);
        bytes[at % bytes.length]! ^= flip;
        events[index] = bytes;
        expect((await codes({ ...log, events })).integrity).toContain('ROOT_MISMATCH');
      }),
      { numRuns: 300 },
    );
  });

  it('P6: finds the byte by the chain alone, without any checkpoint, but for the last event of a session', async () => {
    await fc.assert(
      fc.asyncProperty(position, fc.nat(), fc.integer({ min: 1, max: 255 }), async (index, at, flip) => {
        const events = [...log.events];
        const bytes = Buffer.from(events[index]!);
        fc.pre(!isClosing(bytes));
        bytes[at % bytes.length]! ^= flip;
        events[index] = bytes;
        expect((await codes({ events, notes: [] })).integrity).not.toEqual([]);
      }),
      { numRuns: 200 },
    );
  });

  it('P6: finds any deletion', async () => {
    for (const index of log.events.keys()) {
      const found = await codes({ ...log, events: log.events.filter((_, other) => other !== index) });
      expect([index, [...found.integrity, ...found.completeness].length > 0]).toEqual([index, true]);
      expect(found.completeness).toContain('LOG_TRUNCATED');
    }
  });

  it('P6: finds any swap', async () => {
    await fc.assert(
      fc.asyncProperty(position, position, async (a, b) => {
        fc.pre(a !== b);
        const events = [...log.events];
        [events[a], events[b]] = [events[b]!, events[a]!];
        expect((await codes({ ...log, events })).integrity).toContain('ROOT_MISMATCH');
      }),
      { numRuns: 200 },
    );
  });

  it('P6: finds any insertion of a copy, and of an event of its own', async () => {
    const forged = exampleSession('s-forged', edgeKey)[0]!.bytes;
    for (const bytes of [log.events[3]!, forged]) {
      for (const index of log.events.keys()) {
        expect((await codes({ ...log, events: log.events.toSpliced(index, 0, bytes) })).integrity).toContain('ROOT_MISMATCH');
      }
    }
  });

  it('P6: names the place of a change', async () => {
    const events = [...log.events];
    events[7] = edit(events[7]!, { subject: 'someone-else' });
    const { integrity } = await verifyLog(inputOf({ ...log, events }));
    const follower = events.findIndex((bytes, index) => index > 7 && read(bytes).sessionid === read(events[7]!).sessionid);
    const chain = integrity.problems.find(({ code }) => code === 'PREV_MISMATCH');
    expect(chain?.place).toEqual({ offset: follower, event: read(events[follower]!).id, file: '0.log' });
    expect(integrity.problems.find(({ code }) => code === 'ROOT_MISMATCH')?.message).toContain('events 5 to 9');
  });

  it('P6: finds a cut tail by the checkpoints, at every length', async () => {
    for (let length = 0; length < log.events.length; length += 1) {
      const { integrity, completeness } = await codes({ ...log, events: log.events.slice(0, length) });
      expect([length, integrity, completeness]).toEqual([length, [], ['LOG_TRUNCATED']]);
    }
  });

  it('P6: finds a cut of log and checkpoints together by a checkpoint from outside', async () => {
    const external = { note: log.notes.at(-1)!, file: 'kept' };
    for (let length = 0; length < log.events.length; length += 1) {
      const notes = log.notes.filter((note) => parseCheckpoint(note).size <= length);
      const cut = { events: log.events.slice(0, length), notes };
      expect((await codes(cut)).integrity).toEqual([]);
      expect((await codes(cut, { external })).completeness).toEqual(['LOG_TRUNCATED', 'CHECKPOINTS_TRUNCATED']);
    }
    expect(await codes(log, { external })).toEqual({ integrity: [], completeness: [] });
  });

  it('P6: finds cut checkpoints', async () => {
    expect(await codes({ ...log, notes: [] })).toEqual({ integrity: [], completeness: ['CHECKPOINT_MISSING'] });
    expect(await codes({ events: [], notes: [] })).toEqual({ integrity: [], completeness: ['CHECKPOINT_MISSING'] });
    const external = { note: log.notes.at(-1)! };
    expect(await codes({ ...log, notes: log.notes.slice(0, -1) }, { external })).toEqual({
      integrity: [],
      completeness: ['CHECKPOINTS_TRUNCATED'],
    });
  });

  it('P6: finds a beginning that is gone', async () => {
    const items = log.events.slice(4).map((bytes, index) => ({ kind: 'event' as const, offset: BigInt(index + 4), bytes }));
    const found = await codes(log, { items });
    expect(found.completeness).toContain('LOG_START_MISSING');
    expect(found.integrity).toEqual(expect.arrayContaining(['SESSION_NOT_OPENED', 'ROOT_MISMATCH']));
  });

  describe('that removes a whole session and builds the tree anew', () => {
    const events = log.events.filter((bytes) => read(bytes).sessionid !== 's-1');
    const thief = generateSigningKey('ledger/one');

    it('P6: finds the signatures wrong, by name and by key hash', async () => {
      const found = await codes({ events, notes: signLog(events, 5, thief) });
      expect(found.integrity).toContain('CHECKPOINT_SIGNATURE');
      expect(found.completeness).toEqual(['CHECKPOINT_MISSING']);
      const renamed = signLog(events, 5, thief).map((note, index) =>
        note.replace(/\n— .*\n$/, `\n${log.notes[index]!.split('\n').at(-2)}\n`),
      );
      expect((await codes({ events, notes: renamed })).integrity).toContain('CHECKPOINT_SIGNATURE');
    });

    it('P6: finds the roots wrong under the old checkpoints', async () => {
      expect((await codes({ ...log, events })).integrity).toContain('ROOT_MISMATCH');
    });

    it('P6: says plainly that keys from the directory itself would not have shown it', async () => {
      const report = await verifyLog(
        inputOf({ events, notes: signLog(events, 5, thief) }, { keys: { trusted: [edgeKey, thief], origin: 'directory' } }),
      );
      expect(report).toMatchObject({ integrity: { ok: true }, completeness: { ok: true }, keys: 'from the directory itself' });
      expect(report.notes[0]).toMatch(/^The keys came from the directory itself/);
    });

    it('P6: finds it by a checkpoint from outside, whatever the directory holds', async () => {
      const keys = { trusted: [...trusted, thief], origin: 'directory' as const };
      const external = { note: log.notes[2]! };
      expect((await codes({ events, notes: signLog(events, 5, thief) }, { keys, external })).integrity).toEqual(['ROOT_MISMATCH']);
    });
  });

  it('P6: takes no checkpoint from an edge key, and no closing from a ledger key', async () => {
    expect((await codes({ ...log, notes: signLog(log.events, 5, edgeKey) })).integrity).toContain('CHECKPOINT_SIGNATURE');
    const events = interleave([{}], [0], ledgerKey);
    expect((await codes({ events, notes: signLog(events) })).integrity).toEqual(['CLOSING_KEY_UNKNOWN']);
  });

  it('P6: compares nothing with a checkpoint of another log, and is not fooled by it', async () => {
    const other = signCheckpoint({ log: 'sallyport.sessions.v1/1', size: 9e9, root: Buffer.alloc(32) }, ledgerKey);
    expect(await codes({ ...log, notes: [other, ...log.notes] })).toEqual({ integrity: [], completeness: [] });
    expect((await codes({ ...log, notes: [other] })).completeness).toEqual(['CHECKPOINT_MISSING']);
    expect((await codes(log, { external: { note: other } })).integrity).toEqual(['CHECKPOINT_MALFORMED']);
  });

  it('P6: finds two signed histories of one size, and a checkpoint far behind a larger one', async () => {
    const fork = signCheckpoint({ log: LOG, size: 10, root: Buffer.alloc(32) }, ledgerKey);
    expect((await codes({ ...log, notes: log.notes.toSpliced(3, 0, fork) })).integrity).toEqual(['ROOT_MISMATCH']);
    const [first, second, ...rest] = log.notes;
    const many = Array.from({ length: CHECKPOINTS_AHEAD }, () => second!);
    expect((await codes({ ...log, notes: [second!, ...many, first!, ...rest] })).integrity).toEqual(['CHECKPOINT_ORDER']);
    expect((await codes({ ...log, notes: ['nonsense', ...log.notes] })).integrity).toEqual(['CHECKPOINT_MALFORMED']);
  });

  it('P6: takes what two signed at the same time of one log, copies too, and finds what is not true among them', async () => {
    const [first, second, third, ...rest] = log.notes;
    const mixed = [first!, third!, second!, third!, first!, second!, ...rest];
    expect(await codes({ ...log, notes: mixed })).toEqual({ integrity: [], completeness: [] });
    const fork = signCheckpoint({ log: LOG, size: 10, root: Buffer.alloc(32) }, ledgerKey);
    expect((await codes({ ...log, notes: [...log.notes, fork] })).integrity).toEqual(['ROOT_MISMATCH']);
  });

  it('P6: reports a frame that its reader could not read, and chunks that never ended', async () => {
    const items = [
      ...(inputOf(log).items as Iterable<never>),
      { kind: 'unfinished' as const, event: 's-9:4' },
    ] as VerifyLogInput['items'] & { [index: number]: unknown };
    items[4] = { kind: 'corrupt', offset: 4n, detail: 'the checksum of the frame is wrong', file: '0.log' };
    const { integrity, completeness } = await verifyLog(inputOf(log, { items }));
    expect(integrity.problems[0]).toEqual({
      code: 'FRAME_CORRUPT',
      place: { offset: 4, file: '0.log' },
      message: 'the checksum of the frame is wrong',
    });
    expect(completeness.problems).toEqual([expect.objectContaining({ code: 'CHUNKS_UNFINISHED', place: { event: 's-9:4' } })]);
  });
});

describe('verifyLog on a session', () => {
  const session = exampleSession('s-0', edgeKey).map(({ bytes }) => bytes);
  const closing = session.at(-1)!;
  /** As if the ledger had signed it: what is left is what the session's own chain shows. */
  const found = async (events: Buffer[], change: Partial<VerifyLogInput> = {}) => codes({ events, notes: signLog(events) }, change);

  it("P6: finds another session's closing event, replayed", async () => {
    const other = exampleSession('s-1', edgeKey).at(-1)!;
    const forged = edit(closing, { data: other.event.data });
    expect((await found([...session.slice(0, -1), forged])).integrity).toEqual(['CLOSING_HEAD', 'CLOSING_SIGNATURE']);
    expect((await found([...session.slice(0, -1), other.bytes])).integrity).toEqual(['SESSION_NOT_OPENED']);
  });

  it('P6: finds a stream cut short under its own closing event, and one that goes on after it', async () => {
    const short = session.slice(0, -2);
    expect((await found([...short, closing])).integrity).toEqual(['SEQUENCE_GAP']);
    const moved = edit(closing, { id: `s-0:${short.length}`, sequence: short.length, prev: read(session.at(-2)!).prev });
    expect((await found([...short, moved])).integrity).toEqual(['CLOSING_COUNT', 'CLOSING_HEAD', 'CLOSING_SIGNATURE']);
    const late = edit(session[1]!, { id: `s-0:${session.length}`, sequence: session.length });
    expect((await found([...session, late])).integrity).toEqual(['EVENT_AFTER_CLOSING']);
  });

  it('P6: finds a closing event that nobody signed, and one that says nothing', async () => {
    const data = read(closing).data;
    const { signature: _, ...unsigned } = data;
    expect((await found([...session.slice(0, -1), edit(closing, { data: unsigned })])).integrity).toEqual(['EVENT_MALFORMED']);
    expect((await found([...session.slice(0, -1), edit(closing, { data: null })])).integrity).toEqual(['EVENT_MALFORMED']);
    expect((await found([...session.slice(0, -1), edit(closing, { data: { ...data, signature: 'AAAA' } })])).integrity).toEqual([
      'CLOSING_SIGNATURE',
    ]);
    expect((await found([...session.slice(0, -1), edit(closing, { data: { ...data, key: '0'.repeat(16) } })])).integrity).toEqual([
      'CLOSING_KEY_UNKNOWN',
    ]);
  });

  it('P6: finds a place taken twice with other bytes, before and after the end', async () => {
    const other = edit(session[3]!, { subject: 'someone-else' });
    expect((await found([...session.slice(0, 5), other, ...session.slice(5)])).integrity).toEqual(['DUPLICATE_DIFFERS']);
    expect((await found([...session, other])).integrity).toEqual(['DUPLICATE_DIFFERS']);
  });

  it('P6: does not take on trust what it can no longer compare', async () => {
    const sessionLimits = { rememberedEvents: 2, rememberedSessions: 4 };
    expect((await found([...session.slice(0, 5), session[3]!, ...session.slice(5)], { sessionLimits })).integrity).toEqual([]);
    expect((await found([...session.slice(0, 5), session[2]!, ...session.slice(5)], { sessionLimits })).integrity).toEqual([
      'DUPLICATE_UNPROVEN',
    ]);
    const many = interleave([{}, {}, {}]);
    const forgetful = { rememberedEvents: 2, rememberedSessions: 1 };
    expect((await found([...many, many[3]!], { sessionLimits: forgetful })).integrity).toEqual(['SESSION_NOT_OPENED']);
  });

  it('P6: finds a session that opens twice, opens late, or opens as another', async () => {
    const again = edit(session[0]!, { id: 's-0:1', sequence: 1, prev: read(session[1]!).prev });
    expect((await found([session[0]!, again])).integrity).toEqual(['SESSION_OPENED_TWICE']);
    expect((await found(session.slice(1, 3))).integrity).toEqual(['SESSION_NOT_OPENED']);
    expect((await found([edit(session[0]!, { id: 's-7:0', sessionid: 's-7' })])).integrity).toEqual(['EVENT_MISPLACED']);
  });

  it('P1: finds an operation that has no end in a session that has one, and one that was never submitted', async () => {
    const submitted = read(session[2]!).data;
    const rewritten = (keep: (type: string) => boolean, change: (type: string) => object = () => ({})) => rechain(session, keep, change);
    expect((await found(rewritten((type) => type !== 'operation.completed'))).completeness).toEqual(['OPERATION_UNFINISHED']);
    expect((await found(rewritten((type) => type !== 'operation.submitted'))).completeness).toEqual(['OPERATION_NOT_SUBMITTED']);
    const denied = (type: string) => (type === 'operation.submitted' ? { data: { ...submitted, verdict: { decision: 'deny' } } } : {});
    expect((await found(rewritten((type) => type !== 'operation.completed', denied))).completeness).toEqual([]);
    const expired = (type: string) => (type === 'approval.applied' ? { data: { operation: 1, outcome: 'expired' } } : {});
    expect((await found(rewritten((type) => type !== 'operation.completed', expired))).completeness).toEqual([]);
    const killed = exampleSession('s-2', edgeKey, { end: 'aborted' }).map(({ bytes }) => bytes);
    expect((await found(rechain(killed, (type) => type !== 'operation.completed'))).completeness).toEqual([]);
  });

  it('P9: keeps the first problems and counts them all', async () => {
    const events = Array.from({ length: 20 }, () => Buffer.from('not an event'));
    const report = await verifyLog(inputOf({ events, notes: signLog(events) }, { problemsMax: 5 }));
    expect(report.integrity).toMatchObject({ ok: false, count: 20 });
    expect(report.integrity.problems).toHaveLength(5);
  });
});

/** What an edge that lies about its own session could write: a good chain over other events. */
function rechain(events: readonly Buffer[], keep: (type: string) => boolean, change: (type: string) => object = () => ({})): Buffer[] {
  const out: Buffer[] = [];
  let prev = '0'.repeat(64);
  for (const event of events.map(read).filter(({ type }) => keep(type))) {
    const sequence = out.length;
    const data = isClosing(Buffer.from(JSON.stringify(event)))
      ? { ...event.data, ...proofOf(event.sessionid, sequence, prev) }
      : event.data;
    const bytes = Buffer.from(
      JSON.stringify({ ...event, id: `${event.sessionid}:${sequence}`, sequence, prev, data, ...change(event.type) }),
    );
    out.push(bytes);
    prev = chainHash(bytes);
  }
  return out;
}

function proofOf(session: string, count: number, head: string): object {
  return { count, head, key: edgeKey.id, signature: edgeKey.sign(closingStatement(session, count, head)).toString('base64') };
}
