import { examplePlainEvents, exampleSession } from './examples.js';
import { generateSigningKey } from './keys.js';
import { parseEnvelope, parseEvent } from './parse.js';

const key = generateSigningKey('edge/test');
const [opened] = exampleSession('s-1', key);
const inText = opened!.bytes.indexOf('crew-stock') + 2;
const altered = (change: object) => Buffer.from(JSON.stringify({ ...opened!.event, ...change }));

describe('parseEvent', () => {
  it('P7: reads every event that is written, whole', () => {
    for (const { event, bytes } of exampleSession('s-1', key)) expect(parseEvent(bytes)).toEqual({ stream: 'session', event });
    for (const { event, bytes } of examplePlainEvents()) expect(parseEvent(bytes).event).toEqual(event);
    expect(examplePlainEvents().map(({ bytes }) => parseEvent(bytes).stream)).toEqual([
      ...Array(7).fill('control'),
      ...Array(4).fill('leases'),
    ]);
  });

  it('P7: keeps what it does not know: a type, a member of the data, an extension', () => {
    expect(parseEvent(altered({ type: 'session.dreamt', data: [1] }))).toMatchObject({
      stream: 'unknown',
      event: { type: 'session.dreamt', data: [1] },
    });
    expect(parseEvent(altered({ type: 'toString' })).stream).toBe('unknown');
    const data = { ...(opened!.event.data as object), later: true };
    expect(parseEvent(altered({ data, traceparent: 'x' })).event).toMatchObject({ data: { later: true }, traceparent: 'x' });
  });

  it.each([
    ['no JSON', Buffer.from('{')],
    ['bytes that are not UTF-8', Buffer.concat([opened!.bytes.subarray(0, inText), Buffer.of(0xff), opened!.bytes.subarray(inText)])],
    ['an array', Buffer.from('[]')],
    ['null', Buffer.from('null')],
    ['another specversion', altered({ specversion: '0.3' })],
    ['another content type', altered({ datacontenttype: 'text/plain' })],
    ['no subject', altered({ subject: undefined })],
    ['an empty source', altered({ source: '' })],
    ['a local time', altered({ time: '2026-01-02T03:04:05.678+01:00' })],
    ['a time that is none', altered({ time: '2026-13-02T03:04:05.678Z' })],
    ['no data', altered({ data: undefined })],
    ['a session id that could be read two ways', altered({ sessionid: 's\n1', id: 's\n1:0' })],
    ['half a chain', altered({ prev: undefined })],
    ['a fraction as sequence', altered({ sequence: 0.5 })],
    ['a sequence beyond 32 bits', altered({ sequence: 2 ** 31, id: `s-1:${2 ** 31}` })],
    ['a prev in capitals', altered({ prev: 'A'.repeat(64) })],
    ['an id that is not of its place', altered({ id: 's-1:1' })],
  ])('refuses %s', (_, bytes) => {
    expect(() => parseEnvelope(bytes)).toThrow(expect.objectContaining({ code: 'EVENT_MALFORMED' }));
    expect(() => parseEvent(bytes)).toThrow(expect.objectContaining({ code: 'EVENT_MALFORMED' }));
  });

  it('refuses data that its schema refuses, naming the place and quoting nothing', () => {
    const data = { ...(opened!.event.data as object), revision: 17 };
    expect(() => parseEvent(altered({ data }))).toThrow(
      'an event of type session.opened has data that its schema refuses at revision (invalid_type)',
    );
  });

  it('refuses a session type outside a session, and the other way round', () => {
    expect(() => parseEvent(altered({ sessionid: undefined, sequence: undefined, prev: undefined }))).toThrow(
      'belongs to the session stream',
    );
    expect(() => parseEvent(altered({ type: 'session.revoked', data: { session: 's', by: 'b', reason: 'r' } }))).toThrow(
      'belongs to the control stream',
    );
  });
});
