import type { ControlEvents } from './control-events.js';
import type { Envelope } from './envelope.js';
import type { LeaseEvents } from './lease-events.js';
import type { Written } from './typed-events.js';

/** Who writes an event outside a session's stream, and about whom. */
export interface PlainEventIdentity {
  /** `STREAM:SEQUENCE`, unique together with `source`. */
  readonly id: string;
  /** `/SERVICE/NAME`, as in `/vendor/main`. */
  readonly source: string;
  /** The principal, lease or bundle that it is about. */
  readonly subject: string;
}

/** An event of the control stream: what people and services say about sessions they don't hold. */
export function controlEvent<Type extends keyof ControlEvents>(
  identity: PlainEventIdentity,
  type: Type,
  data: ControlEvents[Type],
  timeMs: number,
): Written<Envelope<Type, ControlEvents[Type]>> {
  return plainEvent(identity, type, data, timeMs);
}

/** An event of the lease stream. The data has no place for the secret. */
export function leaseEvent<Type extends keyof LeaseEvents>(
  identity: PlainEventIdentity,
  type: Type,
  data: LeaseEvents[Type],
  timeMs: number,
): Written<Envelope<Type, LeaseEvents[Type]>> {
  return plainEvent(identity, type, data, timeMs);
}

function plainEvent<Type extends string, Data>(
  { id, source, subject }: PlainEventIdentity,
  type: Type,
  data: Data,
  timeMs: number,
): Written<Envelope<Type, Data>> {
  const event: Envelope<Type, Data> = {
    specversion: '1.0',
    id,
    source,
    type,
    subject,
    time: new Date(timeMs).toISOString(),
    datacontenttype: 'application/json',
    data,
  };
  return { event, bytes: Buffer.from(JSON.stringify(event)) };
}
