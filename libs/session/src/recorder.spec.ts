import { chainHash } from '@sallyport/events';
import { RecordUnavailable } from './recorder.js';
import { allow, testSession } from './testing.js';

const lease = { lease: 'l1' } as never;

describe('Recorder', () => {
  it('S7: what the spool refuses leaves the chain as it was, and the next event has its number', () => {
    const { session, spool } = testSession(() => allow);
    session.recorder.write('lease.obtained', lease);
    spool.refuses = () => true;
    expect(() => session.recorder.write('lease.obtained', lease)).toThrow(RecordUnavailable);
    expect(session.recorder.last).toBe(0n);
    spool.refuses = () => false;
    session.recorder.write('lease.obtained', lease);
    expect(spool.events.map(({ sequence }) => sequence)).toEqual([0, 1]);
    expect(spool.events[1]!.prev).toBe(chainHash(spool.entries[0]!.bytes));
  });

  it('S1: one closing event, and nothing behind it', () => {
    const { session, spool } = testSession(() => allow);
    session.recorder.write('lease.obtained', lease);
    session.ending();
    session.close('client');
    expect(session.state).toBe('closed');
    expect(() => session.recorder.write('lease.obtained', lease)).toThrow(RecordUnavailable);
    expect(spool.events.map(({ type }) => type)).toEqual(['lease.obtained', 'session.closed']);
    expect(spool.events[1]!.data).toMatchObject({ count: 1, head: chainHash(spool.entries[0]!.bytes), reason: 'client' });
  });

  it('S2: only how something went on and ended may use the reserve', () => {
    const { session, spool } = testSession(() => allow);
    session.recorder.write('lease.obtained', lease);
    const running = session.submitted(1, 0n);
    session.completed(running, { outcome: 'ok', tag: '', rows: 1, bytes: 2, digest: '', masked: {} });
    session.ending();
    session.close('client');
    expect(spool.entries.map(({ type, purpose }) => [type, purpose])).toEqual([
      ['lease.obtained', 'intent'],
      ['operation.completed', 'outcome'],
      ['session.closed', 'outcome'],
    ]);
    expect(session.facts()).toMatchObject({ operations: 1, rows: 1, bytes: 2 });
  });
});

describe('Session', () => {
  it('S6: ends at the earliest of what may end it', () => {
    const { session } = testSession(() => allow);
    const { endsAtMs } = session;
    session.endAtTheLatest(endsAtMs + 1000);
    expect(session.endsAtMs).toBe(endsAtMs);
    session.endAtTheLatest(endsAtMs - 1000);
    expect(session.endsAtMs).toBe(endsAtMs - 1000);
  });

  it('tells the first caller that it is the one who ends it', () => {
    const { session } = testSession(() => allow);
    session.connected();
    expect([session.ending(), session.ending()]).toEqual([true, false]);
  });
});
