import { type Bus, type BusRecord, TOPICS } from '@sallyport/bus';
import {
  controlEvent,
  type ControlEvent,
  type ControlEvents,
  leaseEvent,
  type LeaseEvent,
  type LeaseEvents,
  parseEvent,
  type SigningKey,
} from '@sallyport/events';
import { type Service, WRITERS } from './roles.js';
import type { Roster } from './roster.js';
import { KEY_HEADER, signerOf, signRecord, type Unsigned } from './signed-record.js';

export interface EventToWrite {
  /** Unique among the events of this service. */
  readonly id: string;
  /** The principal, lease or bundle that it is about. */
  readonly subject: string;
  /** Of the record: events with the same key stay in order. */
  readonly key: string;
  readonly timeMs: number;
}

/** Writes a signed event to the control stream; durable when it resolves. */
export async function writeControl<Type extends keyof ControlEvents>(
  bus: Pick<Bus, 'produce'>,
  key: SigningKey,
  { id, subject, key: recordKey, timeMs }: EventToWrite,
  type: Type,
  data: ControlEvents[Type],
): Promise<void> {
  const { bytes } = controlEvent({ id, source: `/${key.name}`, subject }, type, data, timeMs);
  await bus.produce(TOPICS.control, [signRecord(key, TOPICS.control, { key: recordKey, value: bytes, timestampMs: timeMs })]);
}

/** Writes a signed event to the lease stream; durable when it resolves. */
export async function writeLease<Type extends keyof LeaseEvents>(
  bus: Pick<Bus, 'produce'>,
  key: SigningKey,
  { id, subject, key: recordKey, timeMs }: EventToWrite,
  type: Type,
  data: LeaseEvents[Type],
): Promise<void> {
  const { bytes } = leaseEvent({ id, source: `/${key.name}`, subject }, type, data, timeMs);
  await bus.produce(TOPICS.leases, [signRecord(key, TOPICS.leases, { key: recordKey, value: bytes, timestampMs: timeMs })]);
}

export type Distrusted =
  | Unsigned
  /** No event that this version knows. */
  | 'unreadable'
  /** Its signer's role doesn't write such events, or it names another service as its source. */
  | 'not-its-business';

export type Heard<Event> =
  { readonly ok: true; readonly event: Event; readonly by: Service } | { readonly ok: false; readonly reason: Distrusted };

/**
 * The event that a record of the control or lease stream is, if whoever may write such an event has signed it. Whatever acts on these
 * streams reads them through this. The record itself stays on the log either way.
 */
export function heardEvent(roster: Roster, record: BusRecord): Heard<ControlEvent | LeaseEvent> {
  const signed = signerOf(roster, record);
  if (!signed.ok) return signed;
  let parsed;
  try {
    parsed = parseEvent(record.value);
  } catch {
    return { ok: false, reason: 'unreadable' };
  }
  if (parsed.stream !== 'control' && parsed.stream !== 'leases') return { ok: false, reason: 'unreadable' };
  const { event } = parsed;
  const { name, role } = signed.service;
  const stream = record.topic === TOPICS.control ? 'control' : 'leases';
  if (parsed.stream !== stream || event.source !== `/${name}` || !WRITERS[event.type].includes(role))
    return { ok: false, reason: 'not-its-business' };
  // Each key speaks for itself: what one that was stolen says of its successor would outlive it.
  if (event.type === 'service.announced' && event.data.keyId !== record.headers[KEY_HEADER])
    return { ok: false, reason: 'not-its-business' };
  return { ok: true, event, by: signed.service };
}

/**
 * Which signed events were acted on already, so that a copy of an old one does nothing: a log can be read by whoever may read it, and
 * written to again. Holds an id for each genuine event; strangers add nothing.
 */
export class Once {
  readonly #seen = new Set<string>();

  /** True the first time. */
  first({ source, id }: { readonly source: string; readonly id: string }): boolean {
    const key = `${source} ${id}`;
    if (this.#seen.has(key)) return false;
    this.#seen.add(key);
    return true;
  }
}
