import { type BusRecord, type OutgoingRecord, TOPICS } from '@sallyport/bus';
import { parseEvent, type SigningKey } from '@sallyport/events';
import type { Roster } from './roster.js';
import type { Distrusted } from './signed-events.js';
import { signerOf, signRecord } from './signed-record.js';

/**
 * Events of a session are not signed one by one: the closing event signs them all, and nobody acts on one before. But people act on a
 * request for approval, so its edge signs that one. Another record that names the same hold, wherever it stands, is then told from it.
 */
const VOUCHED = '"type":"approval.requested"';

/** A record for the sessions topic, signed when it is one that others act on. */
export function vouch(key: SigningKey, record: OutgoingRecord): OutgoingRecord {
  return Buffer.from(record.value.buffer, record.value.byteOffset, record.value.byteLength).includes(VOUCHED)
    ? signRecord(key, TOPICS.sessions, record)
    : record;
}

/** Whether the edge that a record of the sessions topic names as its source has signed it, as of this session. Undefined: it has. */
export function unvouched(roster: Roster, record: BusRecord): Distrusted | undefined {
  const signed = signerOf(roster, record);
  if (!signed.ok) return signed.reason;
  try {
    const { stream, event } = parseEvent(record.value);
    const isIts = stream === 'session' && event.source === `/${signed.service.name}` && event.sessionid === record.key;
    return isIts && signed.service.role === 'edge' ? undefined : 'not-its-business';
  } catch {
    return 'unreadable';
  }
}

/** Whether a record may be one that has to be vouched for: the others needn't be looked at. */
export function isVouchedKind({ value }: Pick<BusRecord, 'value'>): boolean {
  return value.includes(VOUCHED);
}
