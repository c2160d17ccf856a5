import { createHash } from 'node:crypto';
import * as fc from 'fast-check';
import { CHAIN_START, SessionStream, closingStatement } from './chain.js';
import { generateSigningKey } from './keys.js';
import { parseEnvelope } from './parse.js';
import type { SessionEvents } from './session-events.js';

const key = generateSigningKey('edge/test');
const identity = { session: 's-1', source: '/edge/test', subject: 'crew-stock' };
const secret: SessionEvents['secret.observed'] = { operation: 1, kind: 'aws-key', fingerprint: 'f', place: 'rows' };
const closing = { reason: 'client', operations: 1, rows: 0, bytes: 0, denials: 0 } as const;
const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');

describe('SessionStream', () => {
  it('P6: links each event to the bytes of the one before it', () => {
    const stream = new SessionStream(identity, key);
    const first = stream.event('secret.observed', secret, 0);
    const second = stream.event('secret.observed', { ...secret, place: 'é\n\u2028\ud800' }, 1);
    const third = stream.event('secret.observed', secret, 2);
    expect(first.event).toMatchObject({ id: 's-1:0', sequence: 0, prev: CHAIN_START, sessionid: 's-1', time: '1970-01-01T00:00:00.000Z' });
    expect(second.event.prev).toBe(sha256(first.bytes));
    expect(third.event.prev).toBe(sha256(second.bytes));
    expect(stream.state).toEqual({ session: 's-1', sequence: 3, head: sha256(third.bytes) });
  });

  it('P6: writes bytes that hold the event exactly, on one line', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (place) => {
        const { bytes, event } = new SessionStream(identity, key).event('secret.observed', { ...secret, place }, 0);
        expect(bytes.includes(10)).toBe(false);
        expect(parseEnvelope(bytes)).toEqual(JSON.parse(JSON.stringify(event)));
        expect(Object.keys(event)).toEqual(Object.keys(parseEnvelope(bytes)));
      }),
    );
  });

  it('P6: signs session, count and head at the end, and lets nothing follow', () => {
    const stream = new SessionStream(identity, key);
    const first = stream.event('secret.observed', secret, 0);
    const { event } = stream.close(closing, 5);
    expect(event.type).toBe('session.closed');
    expect(event.data).toMatchObject({ count: 1, head: sha256(first.bytes), key: key.id });
    expect(event.data.head).toBe(event.prev);
    const statement = Buffer.from(`sallyport.session.v1\ns-1\n1\n${sha256(first.bytes)}\n`);
    expect(closingStatement('s-1', 1, sha256(first.bytes))).toEqual(statement);
    expect(key.verify(statement, Buffer.from(event.data.signature, 'base64'))).toBe(true);
    expect(stream.ended).toBe(true);
    expect(() => stream.event('secret.observed', secret, 6)).toThrow(expect.objectContaining({ code: 'EVENT_STREAM_ENDED' }));
    expect(() => stream.abort({ reason: 'killed', unfinished: [] }, 6)).toThrow(expect.objectContaining({ code: 'EVENT_STREAM_ENDED' }));
  });

  it('P6: goes on from its state alone, as after a crash', () => {
    const whole = new SessionStream(identity, key);
    const before = new SessionStream(identity, key);
    whole.event('secret.observed', secret, 0);
    before.event('secret.observed', secret, 0);
    const resumed = new SessionStream(identity, key, before.state);
    expect(resumed.abort({ reason: 'killed', unfinished: [1] }, 9).bytes).toEqual(
      whole.abort({ reason: 'killed', unfinished: [1] }, 9).bytes,
    );
  });

  it('stays as it was when an event can not be made', () => {
    const stream = new SessionStream(identity, key);
    stream.event('secret.observed', secret, 0);
    const { state } = stream;
    expect(() => stream.event('secret.observed', { ...secret, operation: 1n as unknown as number }, 0)).toThrow(TypeError);
    expect(() => stream.event('secret.observed', secret, Number.NaN)).toThrow(RangeError);
    expect(stream.state).toEqual(state);
  });

  it('P1: stays as it was when the bytes could not be taken, and hands over the bytes it returns', () => {
    const stream = new SessionStream(identity, key);
    const full = () => {
      throw new Error('the spool is full');
    };
    expect(() => stream.event('secret.observed', secret, 0, full)).toThrow('the spool is full');
    expect(() => stream.close(closing, 0, full)).toThrow('the spool is full');
    expect(stream.state).toEqual({ session: 's-1', sequence: 0, head: CHAIN_START });
    expect(stream.ended).toBe(false);
    const taken: Buffer[] = [];
    const { bytes } = stream.event('secret.observed', secret, 0, (bytes) => taken.push(bytes));
    expect(taken).toEqual([bytes]);
  });

  it('ends before sequence numbers leave 32 bits', () => {
    const stream = new SessionStream(identity, key, { sequence: 2 ** 31 - 1, head: CHAIN_START });
    expect(stream.event('secret.observed', secret, 0).event.sequence).toBe(2 ** 31 - 1);
    expect(() => stream.event('secret.observed', secret, 0)).toThrow(expect.objectContaining({ code: 'EVENT_SEQUENCE_EXHAUSTED' }));
  });

  it.each(['', 'a:b', 'a\nb', ' a', '-a', 'x'.repeat(129)])('refuses the session id %j', (session) => {
    expect(() => new SessionStream({ ...identity, session }, key)).toThrow(expect.objectContaining({ code: 'EVENT_SESSION_ID' }));
  });
});
