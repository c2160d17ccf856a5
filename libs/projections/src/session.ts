import { chainHash } from '@sallyport/events';
import type { SessionEnvelope, SessionEvent, SessionOpened } from '@sallyport/events';
import { add, instant, keyText } from './values.js';

export interface ActorRow {
  readonly subject: string;
  readonly issuer?: string;
}

/** One session, as its stream tells it so far. Times are RFC 3339. */
export interface SessionRow {
  readonly id: string;
  readonly subject: string;
  readonly issuer: string;
  readonly principalKind: string;
  readonly groups: readonly string[];
  readonly actors: readonly ActorRow[];
  readonly resource: string;
  readonly resourceKind: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly database: string | null;
  readonly run: string | null;
  readonly state: 'open' | 'closed' | 'aborted';
  readonly opened: string;
  readonly closed: string | null;
  /** Of the newest event. */
  readonly lastSeen: string;
  readonly reason: string | null;
  readonly detail: string | null;
  readonly revision: string;
  readonly profiles: readonly string[];
  readonly rulesOff: boolean;
  readonly operations: number;
  /** Delivered. */
  readonly rows: number;
  readonly bytes: number;
  readonly denials: number;
  readonly client: SessionOpened['client'] | null;
  readonly source: string;
  /** Events read. Smaller than `sequence` + 1 when some of the stream is missing. */
  readonly events: number;
  /** Of the newest event. */
  readonly sequence: number;
  /** Lowercase hex SHA-256 of the newest event's bytes. */
  readonly head: string;
}

/** One event further. A redelivered event (its number is not new) gives the same row back, the very object. */
export function evolveSession(row: SessionRow | undefined, event: SessionEnvelope, bytes: Buffer): SessionRow {
  if (row && event.sequence <= row.sequence) return row;
  const time = instant(event.time) ?? event.time;
  const before = row ?? blank(event, time);
  return {
    ...before,
    ...told(before, event as SessionEvent, time),
    lastSeen: time > before.lastSeen ? time : before.lastSeen,
    events: before.events + 1,
    sequence: event.sequence,
    head: chainHash(bytes),
  };
}

/** A stream whose beginning is missing still has a row: what is there is shown. */
function blank(event: SessionEnvelope, time: string): SessionRow {
  return {
    id: event.sessionid,
    subject: keyText(event.subject),
    issuer: '',
    principalKind: '',
    groups: [],
    actors: [],
    resource: '',
    resourceKind: '',
    labels: {},
    database: null,
    run: null,
    state: 'open',
    opened: time,
    closed: null,
    lastSeen: time,
    reason: null,
    detail: null,
    revision: '',
    profiles: [],
    rulesOff: false,
    operations: 0,
    rows: 0,
    bytes: 0,
    denials: 0,
    client: null,
    source: event.source,
    events: 0,
    sequence: -1,
    head: '',
  };
}

function told(row: SessionRow, event: SessionEvent, time: string): Partial<SessionRow> {
  switch (event.type) {
    case 'session.opened':
      return row.events === 0 ? opened(event.data) : {};
    case 'operation.submitted':
      return { operations: add(row.operations, 1), rulesOff: row.rulesOff || event.data.verdict.rulesOff };
    case 'operation.completed':
      return {
        rows: add(row.rows, event.data.rows),
        bytes: add(row.bytes, event.data.bytes),
        denials: add(row.denials, event.data.outcome === 'refused' ? 1 : 0),
      };
    case 'session.closed': {
      if (row.state !== 'open') return {};
      // The edge's own sums: they hold for a stream of which something is missing, too.
      const { reason, detail, operations, rows, bytes, denials } = event.data;
      return { state: 'closed', closed: time, reason, detail: detail ?? null, operations, rows, bytes, denials };
    }
    case 'session.aborted':
      return row.state === 'open' ? { state: 'aborted', closed: time, reason: event.data.reason, detail: event.data.detail ?? null } : {};
    default:
      return {};
  }
}

function opened({ principal, resource, database, run, client, revision, profiles, rulesOff }: SessionOpened): Partial<SessionRow> {
  return {
    subject: keyText(principal.subject),
    issuer: keyText(principal.issuer),
    principalKind: principal.kind,
    groups: principal.groups,
    actors: actorRows(principal.actors),
    resource: keyText(resource.name),
    resourceKind: resource.kind,
    labels: resource.labels,
    database: database ?? null,
    run: run === null ? null : keyText(run),
    client: { address: client.address, user: client.user, application: client.application, protocol: client.protocol, tls: client.tls },
    revision,
    profiles,
    rulesOff,
  };
}

export function actorRows(actors: readonly ActorRow[]): readonly ActorRow[] {
  return actors.map(({ subject, issuer }) => (issuer === undefined ? { subject } : { subject, issuer }));
}
