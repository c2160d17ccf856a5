import { EventError } from './event-error.js';
import type { Envelope } from './envelope.js';
import { eventSchemas } from './schemas/index.js';
import type { ParsedEvent, SessionEnvelope } from './typed-events.js';
import { MAX_SEQUENCE, isSessionId } from './chain.js';

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
const HASH = /^[0-9a-f]{64}$/;
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * An envelope from its bytes (CloudEvents 1.0 structured mode), its data unread. Throws `EVENT_MALFORMED`; the message names
 * the attribute and quotes nothing. The chain's attributes are there all together or not at all.
 */
export function parseEnvelope(bytes: Uint8Array): Envelope {
  let value: unknown;
  try {
    value = JSON.parse(utf8.decode(bytes));
  } catch (cause) {
    throw new EventError('EVENT_MALFORMED', 'an event must be JSON in UTF-8', { cause });
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw malformed('must be a JSON object');
  const event = value as Record<string, unknown>;
  if (event['specversion'] !== '1.0') throw malformed('must have specversion 1.0');
  if (event['datacontenttype'] !== 'application/json') throw malformed('must have datacontenttype application/json');
  for (const name of ['id', 'source', 'type', 'subject']) {
    if (typeof event[name] !== 'string' || event[name] === '') throw malformed(`must have ${name}, a string that is not empty`);
  }
  const { time } = event;
  if (typeof time !== 'string' || !TIME.test(time) || Number.isNaN(Date.parse(time)))
    throw malformed('must have time, UTC with milliseconds');
  if (!('data' in event)) throw malformed('must have data');
  if (event['sessionid'] !== undefined || event['sequence'] !== undefined || event['prev'] !== undefined) checkChain(event);
  return value as Envelope;
}

export function isSessionEnvelope(event: Envelope): event is SessionEnvelope {
  return event.sessionid !== undefined;
}

/**
 * An event with its data checked against the schema of its type. A type that this version doesn't know comes back as `unknown`,
 * whole. Members that a schema doesn't name are kept. Throws `EVENT_MALFORMED`.
 */
export function parseEvent(bytes: Uint8Array): ParsedEvent {
  const event = parseEnvelope(bytes);
  const known = Object.hasOwn(eventSchemas, event.type) ? eventSchemas[event.type as keyof typeof eventSchemas] : undefined;
  if (!known) return { stream: 'unknown', event };
  if ((known.stream === 'session') !== isSessionEnvelope(event))
    throw malformed(`of type ${event.type} belongs to the ${known.stream} stream`);
  const checked = known.schema.safeParse(event.data);
  if (!checked.success) {
    const [issue] = checked.error.issues;
    const path = issue?.path.map(String).join('.') ?? '';
    throw malformed(
      `of type ${event.type} has data that its schema refuses${path === '' ? '' : ` at ${path}`} (${issue?.code ?? 'unknown'})`,
    );
  }
  return { stream: known.stream, event } as ParsedEvent;
}

function checkChain(event: Record<string, unknown>): void {
  const { sessionid, sequence, prev } = event;
  if (typeof sessionid !== 'string' || !isSessionId(sessionid)) throw malformed('of a session must have sessionid');
  if (!Number.isInteger(sequence) || (sequence as number) < 0 || (sequence as number) > MAX_SEQUENCE)
    throw malformed('of a session must have sequence, from 0');
  if (typeof prev !== 'string' || !HASH.test(prev)) throw malformed('of a session must have prev, 64 lowercase hex digits');
  if (event['id'] !== `${sessionid}:${String(sequence)}`) throw malformed('of a session must have the id SESSION:SEQUENCE');
}

function malformed(what: string): EventError {
  return new EventError('EVENT_MALFORMED', `an event ${what}`);
}
