import type { BusRecord } from '@sallyport/bus';
import { closingStatement, parseEvent } from '@sallyport/events';
import { type Service, serviceOf } from './roles.js';
import type { Roster } from './roster.js';
import type { Distrusted } from './signed-events.js';

export type SessionEnd =
  | { readonly ok: true; readonly session: string; readonly by: Service }
  /** `no-end`: most of the session stream is something else. */
  | { readonly ok: false; readonly reason: 'no-end' | Distrusted };

/** Cheap first look: most of the session stream are operations. */
const ENDS = ['"session.closed"', '"session.aborted"'];

/**
 * The end of a session, closed or aborted, if an edge has signed it with its own key and under its own name. Records of the session stream
 * are not signed one by one: their chain is, by the signature in the last event. Whether that edge has held the session is another question.
 */
export function sessionEnd(roster: Roster, { value }: Pick<BusRecord, 'value'>): SessionEnd {
  if (!ENDS.some((end) => value.includes(end))) return { ok: false, reason: 'no-end' };
  let parsed;
  try {
    parsed = parseEvent(value);
  } catch {
    return { ok: false, reason: 'unreadable' };
  }
  if (parsed.stream !== 'session') return { ok: false, reason: 'no-end' };
  const { event } = parsed;
  if (event.type !== 'session.closed' && event.type !== 'session.aborted') return { ok: false, reason: 'no-end' };
  const { count, head, key: id, signature } = event.data;
  const key = roster.find(id);
  const by = key && serviceOf(key.name);
  if (!key || !by) return { ok: false, reason: 'unknown-key' };
  if (by.role !== 'edge' || event.source !== `/${by.name}`) return { ok: false, reason: 'not-its-business' };
  const proves =
    count === event.sequence &&
    head === event.prev &&
    key.verify(closingStatement(event.sessionid, count, head), Buffer.from(signature, 'base64'));
  return proves ? { ok: true, session: event.sessionid, by } : { ok: false, reason: 'bad-signature' };
}
