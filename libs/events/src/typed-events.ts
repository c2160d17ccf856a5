import type { ControlEvents } from './control-events.js';
import type { Envelope } from './envelope.js';
import type { LeaseEvents } from './lease-events.js';
import type { SessionEvents } from './session-events.js';

/** An event of the session stream: the chain's extension attributes are always there. */
export interface SessionEnvelope<Type extends string = string, Data = unknown> extends Envelope<Type, Data> {
  readonly sessionid: string;
  readonly sequence: number;
  readonly prev: string;
}

export type SessionEvent = { [Type in keyof SessionEvents]: SessionEnvelope<Type, SessionEvents[Type]> }[keyof SessionEvents];
export type ControlEvent = { [Type in keyof ControlEvents]: Envelope<Type, ControlEvents[Type]> }[keyof ControlEvents];
export type LeaseEvent = { [Type in keyof LeaseEvents]: Envelope<Type, LeaseEvents[Type]> }[keyof LeaseEvents];

/** What a writer hands on: the event, and the bytes that are the record. Hashes are over these bytes only. */
export interface Written<Event extends Envelope = Envelope> {
  readonly event: Event;
  readonly bytes: Buffer;
}

/** Any event of ours. `unknown` is an envelope whose type this version has not heard of: kept, never dropped. */
export type ParsedEvent =
  | { readonly stream: 'session'; readonly event: SessionEvent }
  | { readonly stream: 'control'; readonly event: ControlEvent }
  | { readonly stream: 'leases'; readonly event: LeaseEvent }
  | { readonly stream: 'unknown'; readonly event: Envelope };
