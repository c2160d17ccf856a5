import { TOPICS } from '@sallyport/bus';
import { eventPlace, placeKey, withoutCopies } from './copies.js';
import { readEntry } from './entry.js';
import type { LogEntry } from './entry.js';
import { answerBytes, records, sessionBytes } from './testing.js';

const read = (topic: string, bytes: readonly Buffer[]): LogEntry[] => records(topic, bytes).map(readEntry);
const bytes = sessionBytes({ id: 's-1' });

describe('withoutCopies', () => {
  it('leaves out what has the same bytes as the one in its place, here or read before', () => {
    const entries = read(TOPICS.sessions, [...bytes, ...bytes.slice(2, 4)]);
    expect(withoutCopies(entries, new Map())).toEqual(entries.slice(0, bytes.length));
    const taken = new Map(entries.slice(0, 3).map((entry) => [placeKey(eventPlace(entry)!), entry.record.bytes]));
    expect(withoutCopies(entries, taken)).toEqual(entries.slice(3, bytes.length));
  });

  it('keeps other bytes in the same place as a problem', () => {
    const other = Buffer.concat([bytes[1]!, Buffer.from(' ')]);
    const [first, second] = withoutCopies(read(TOPICS.sessions, [bytes[1]!, other]), new Map());
    expect(first!.reading.stream).toBe('session');
    expect(second).toMatchObject({ reading: { stream: 'unreadable', code: 'EVENT_CONFLICT' }, identity: null, record: { bytes: other } });
  });

  it('tells events of no session by topic, writer and id, and takes nothing for a copy that is no event', () => {
    const answer = answerBytes('s-1', 1, 'dana', 0);
    expect(withoutCopies(read(TOPICS.control, [answer, answer]), new Map())).toHaveLength(1);
    expect(withoutCopies([...read(TOPICS.control, [answer]), ...read(TOPICS.leases, [answer])], new Map())).toHaveLength(2);
    expect(withoutCopies(read(TOPICS.control, [Buffer.from('x'), Buffer.from('x')]), new Map())).toHaveLength(2);
  });
});
