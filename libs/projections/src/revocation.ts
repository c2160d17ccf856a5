import type { ControlEvent } from '@sallyport/events';
import { add, instant, keyText } from './values.js';

/** Somebody who may not go on, or a session that may not. */
export interface RevocationRow {
  /** Of its event. */
  readonly id: string;
  readonly kind: 'principal' | 'session';
  /** Null for a session. */
  readonly subject: string | null;
  /** Null: of whatever issuer. */
  readonly issuer: string | null;
  /** Null for a principal. */
  readonly session: string | null;
  readonly by: string;
  readonly reason: string;
  readonly revoked: string;
  /** Of the console that wrote it. */
  readonly source: string;
}

/** An edge's word that nothing of a revocation goes on there. The revocation itself may be read later, or never. */
export interface AcknowledgementRow {
  readonly revocation: string;
  /** `edge/NAME`. */
  readonly edge: string;
  /** By the edge's clock. */
  readonly confirmed: string;
  /** Sessions that were ended. */
  readonly sessions: number;
}

export const acknowledgementKey = (revocation: string, edge: string): string => JSON.stringify([revocation, edge]);

/** A revocation is said once: a copy changes nothing. */
export function evolveRevocation(
  row: RevocationRow | undefined,
  event: Extract<ControlEvent, { type: 'principal.revoked' | 'session.revoked' }>,
): RevocationRow {
  const { by, reason } = event.data;
  const said = { id: keyText(event.id), by, reason, revoked: instant(event.time) ?? event.time, source: event.source };
  const next: RevocationRow =
    event.type === 'session.revoked'
      ? { ...said, kind: 'session', subject: null, issuer: null, session: keyText(event.data.session) }
      : { ...said, kind: 'principal', subject: keyText(event.data.subject), issuer: keyOrNull(event.data.issuer), session: null };
  // Should two consoles use one id, the earlier has it, whichever is read first.
  return row && !isEarlier(next, row) ? row : next;
}

/** The earliest that an edge said so. */
export function evolveAcknowledgement(
  row: AcknowledgementRow | undefined,
  event: Extract<ControlEvent, { type: 'revocation.applied' }>,
): AcknowledgementRow {
  const confirmed = instant(event.time) ?? event.time;
  const sessions = add(0, event.data.sessions);
  const next = { revocation: keyText(event.data.revocation), edge: edgeOf(event), confirmed, sessions };
  return row && (row.confirmed < confirmed || (row.confirmed === confirmed && row.sessions >= sessions)) ? row : next;
}

/** Whoever writes it speaks for itself only: its name is that of the event's source. */
export function edgeOf({ source }: { readonly source: string }): string {
  return keyText(source.replace(/^\//, ''));
}

function isEarlier(one: RevocationRow, other: RevocationRow): boolean {
  return one.revoked === other.revoked ? one.source < other.source : one.revoked < other.revoked;
}

function keyOrNull(text: string | undefined): string | null {
  return text === undefined ? null : keyText(text);
}
