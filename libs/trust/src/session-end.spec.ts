import { SessionStream, type SigningKey } from '@sallyport/events';
import { sessionEnd } from './index.js';
import { enrolled } from './testing.js';

const { roster, keys } = enrolled('edge/e1', 'edge/e2', 'vendor/v1');
const { keys: strangers } = enrolled('edge/e1');

function end(key: SigningKey, source = `/${key.name}`, how: 'close' | 'abort' = 'close'): Buffer {
  const stream = new SessionStream({ session: 's1', source, subject: 'agent' }, key);
  stream.event('lease.obtained', { id: 'l', resource: 'r', source: 'static', profiles: [], login: 'x', expiresAtMs: 1 }, 0);
  if (how === 'abort') return stream.abort({ reason: 'killed', unfinished: [] }, 0).bytes;
  return stream.close({ reason: 'client', operations: 0, rows: 0, bytes: 0, denials: 0 }, 0).bytes;
}

describe('the end of a session', () => {
  it('is its edge’s word, closed or aborted', () => {
    for (const how of ['close', 'abort'] as const) {
      expect(sessionEnd(roster, { value: end(keys['edge/e1'], undefined, how) })).toEqual({
        ok: true,
        session: 's1',
        by: { name: 'edge/e1', role: 'edge' },
      });
    }
  });

  it.each([
    ['a stranger’s', end(strangers['edge/e1']), 'unknown-key'],
    ['no edge’s', end(keys['vendor/v1']), 'not-its-business'],
    ['another edge’s under this one’s name', end(keys['edge/e2'], '/edge/e1'), 'not-its-business'],
    ['unreadable', Buffer.from('"session.closed"'), 'unreadable'],
    ['something else', Buffer.from('{}'), 'no-end'],
  ])('P4: is nothing when it is %s', (_what, value, reason) => {
    expect(sessionEnd(roster, { value })).toEqual({ ok: false, reason });
  });

  it('P4: is nothing when it says another session, place or head than was signed', () => {
    const text = end(keys['edge/e1']).toString();
    const { head } = (JSON.parse(text) as { data: { head: string } }).data;
    const altered = [
      text.replaceAll('s1', 's2'),
      text.replace('"sequence":1', '"sequence":2').replaceAll('s1:1', 's1:2'),
      text.replace('"count":1', '"count":2'),
      text.replaceAll(head, 'f'.repeat(64)),
      text.replace(`"head":"${head}"`, `"head":"${'f'.repeat(64)}"`),
    ];
    for (const value of altered) {
      expect(value).not.toBe(text);
      expect(sessionEnd(roster, { value: Buffer.from(value) })).toEqual({ ok: false, reason: 'bad-signature' });
    }
  });
});
