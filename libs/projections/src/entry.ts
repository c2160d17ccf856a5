import { TOPICS } from '@sallyport/bus';
import { EventError, isSessionEnvelope, parseEvent } from '@sallyport/events';
import type { ControlEvent, Envelope, LeaseEvent, SessionEnvelope, SessionEvent } from '@sallyport/events';
import { instant, keyText } from './values.js';

/** One whole event as it stands on a topic. `offset` is that of its last record: a large event has several. */
export interface LogRecord {
  readonly topic: string;
  readonly partition: number;
  readonly offset: bigint;
  /** As written. */
  readonly bytes: Buffer;
  /** Its own edge has signed it: what people act on counts only then. Not kept: it follows from the log and the roster. */
  readonly vouched?: boolean;
  /** Set when the records can't be joined to an event: `bytes` are then those of the record. */
  readonly problem?: string;
}

/** What a record says, as far as the folds may believe it. */
export type Reading =
  | { readonly stream: 'session'; readonly event: SessionEvent }
  | { readonly stream: 'control'; readonly event: ControlEvent }
  | { readonly stream: 'leases'; readonly event: LeaseEvent }
  /** Of a session, and of a type that this version doesn't know: counted, never dropped. */
  | { readonly stream: 'session-unknown'; readonly event: SessionEnvelope }
  /** An envelope that changes nothing here: an unknown type, or a type that has no business on this topic. */
  | { readonly stream: 'other'; readonly event: Envelope }
  /** Not an event. The code says why; the bytes are kept. */
  | { readonly stream: 'unreadable'; readonly code: string };

export interface LogEntry {
  readonly record: LogRecord;
  readonly reading: Reading;
  /** When it was written, RFC 3339; null when unreadable. */
  readonly time: string | null;
  /** Tells a redelivery: unique among the events of a topic. Null when unreadable. */
  readonly identity: string | null;
}

const STREAM_OF_TOPIC: Readonly<Record<string, 'session' | 'control' | 'leases'>> = {
  [TOPICS.sessions]: 'session',
  [TOPICS.control]: 'control',
  [TOPICS.leases]: 'leases',
};

/**
 * Reads one record. Never throws for what is on the log: what can't be read comes back as `unreadable`. An event counts on its own
 * topic only: who may write sessions may not approve.
 */
export function readEntry(record: LogRecord): LogEntry {
  if (record.problem !== undefined) return unreadable(record, record.problem);
  let parsed: ReturnType<typeof parseEvent>;
  try {
    parsed = parseEvent(storable(record.bytes));
  } catch (error) {
    return unreadable(record, error instanceof EventError ? error.code : 'EVENT_MALFORMED');
  }
  const { event } = parsed;
  return {
    record,
    reading: believed(record.topic, parsed),
    time: instant(event.time),
    identity: isSessionEnvelope(event) ? event.id : keyText(`${event.source} ${event.id}`),
  };
}

function believed(topic: string, parsed: ReturnType<typeof parseEvent>): Reading {
  const own = STREAM_OF_TOPIC[topic];
  if (parsed.stream === 'unknown') {
    return own === 'session' && isSessionEnvelope(parsed.event)
      ? { stream: 'session-unknown', event: parsed.event }
      : { stream: 'other', event: parsed.event };
  }
  return parsed.stream === own ? parsed : { stream: 'other', event: parsed.event };
}

function unreadable(record: LogRecord, code: string): LogEntry {
  return { record, reading: { stream: 'unreadable', code }, time: null, identity: null };
}

/** In JSON: an escaped backslash, a surrogate pair, a lone surrogate, or NUL. */
const ESCAPES = /\\\\|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u[dD][89a-fA-F][0-9a-fA-F]{2}|\\u0000/g;

/**
 * Text columns can't hold NUL or half a character, both of which JSON can spell. They are read as U+FFFD, before anything is
 * folded, so that a fold in memory and one with its rows in a database are the same. The recorded bytes stay as they are.
 */
function storable(bytes: Buffer): Buffer {
  if (!bytes.includes('\\u0000') && !bytes.includes('\\ud') && !bytes.includes('\\uD')) return bytes;
  return Buffer.from(bytes.toString('utf8').replace(ESCAPES, (escape) => (escape === '\\\\' || escape.length === 12 ? escape : '\\ufffd')));
}
