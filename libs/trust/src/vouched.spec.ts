import { type BusRecord, type OutgoingRecord, TOPICS } from '@sallyport/bus';
import { SessionStream } from '@sallyport/events';
import { exampleSession } from '@sallyport/events/examples';
import { isVouchedKind, unvouched, vouch } from './index.js';
import { enrolled } from './testing.js';

const { roster, keys } = enrolled('edge/e1', 'edge/e2', 'decision/d1');
const { keys: strangers } = enrolled('edge/e1');
const read = ({ key, value, headers = {} }: OutgoingRecord, topic: string = TOPICS.sessions): BusRecord => ({
  topic,
  partition: 0,
  offset: 0n,
  timestampMs: 0,
  key,
  value: Buffer.from(value),
  headers,
});

const template = exampleSession('s-1', keys['edge/e1']).find(({ event }) => event.type === 'approval.requested')!.event;
const stream = new SessionStream({ session: 's-1', source: '/edge/e1', subject: 'x' }, keys['edge/e1']);
const value = stream.event('approval.requested', template.data as never, 0).bytes;

describe('a request for approval', () => {
  it('P10: is vouched for by its own edge, and by nobody else', () => {
    expect(unvouched(roster, read(vouch(keys['edge/e1'], { key: 's-1', value })))).toBeUndefined();
    expect(unvouched(roster, read({ key: 's-1', value }))).toBe('unsigned');
    expect(unvouched(roster, read(vouch(strangers['edge/e1'], { key: 's-1', value })))).toBe('unknown-key');
    for (const other of ['edge/e2', 'decision/d1'] as const)
      expect(unvouched(roster, read(vouch(keys[other], { key: 's-1', value })))).toBe('not-its-business');
    expect(unvouched(roster, read(vouch(keys['edge/e1'], { key: 's-2', value })))).toBe('not-its-business');
    const genuine = vouch(keys['edge/e1'], { key: 's-1', value });
    expect(unvouched(roster, read({ ...genuine, value: Buffer.from(value.toString().replace('UPDATE', 'SELECT')) }))).toBe('bad-signature');
    expect(unvouched(roster, read(genuine, TOPICS.control))).toBe('bad-signature');
  });

  it('is the only event of a session that is signed by itself', () => {
    const signed = exampleSession('s-1', keys['edge/e1'], { operations: 2 }).map(({ event, bytes }) => {
      const record = read(vouch(keys['edge/e1'], { key: 's-1', value: bytes }));
      expect(isVouchedKind(record)).toBe(Object.keys(record.headers).length > 0);
      return Object.keys(record.headers).length > 0 ? event.type : undefined;
    });
    expect(new Set(signed)).toEqual(new Set([undefined, 'approval.requested']));
  });
});
