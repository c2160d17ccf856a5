import { hash } from 'node:crypto';
import { EventError } from './event-error.js';
import type { SigningKey } from './keys.js';
import type { SessionAborted, SessionClosed, SessionEvents } from './session-events.js';
import type { SessionEnvelope, Written } from './typed-events.js';

/** `prev` of the first event, and the head of an empty stream. */
export const CHAIN_START = '0'.repeat(64);

/** CloudEvents integers are 32 bit, signed. */
export const MAX_SEQUENCE = 2 ** 31 - 1;

/** A session id is part of event ids and of what the edge signs, so it holds no separator of either. */
const SESSION_ID = /^[0-9A-Za-z][0-9A-Za-z._-]{0,127}$/;

export type ClosingEventType = 'session.closed' | 'session.aborted';
type ClosingProof = 'count' | 'head' | 'key' | 'signature';

/** All that is needed to go on with a stream: constant in size, however long the session is. */
export interface StreamState {
  readonly session: string;
  /** The sequence number that the next event gets. */
  readonly sequence: number;
  /** Lowercase hex SHA-256 of the last event's bytes; {@link CHAIN_START} when there is none. */
  readonly head: string;
}

/** Puts an event's bytes where they are kept. Throws when they can't be taken. */
export type Take = (bytes: Buffer) => void;

export interface StreamIdentity {
  readonly session: string;
  /** `/edge/NAME`. */
  readonly source: string;
  /** The principal's subject. */
  readonly subject: string;
}

/** Lowercase hex SHA-256 of an event's bytes: the next event's `prev`. */
export function chainHash(bytes: Uint8Array): string {
  return hash('sha256', bytes, 'hex');
}

/** What the edge signs at the end of a session, as bytes (docs: Interface, Evidence). */
export function closingStatement(session: string, count: number, head: string): Buffer {
  return Buffer.from(`sallyport.session.v1\n${session}\n${count}\n${head}\n`);
}

export function isSessionId(session: string): boolean {
  return SESSION_ID.test(session);
}

/** Throws `EVENT_SESSION_ID`. */
export function checkSessionId(session: string): void {
  if (!isSessionId(session)) {
    throw new EventError(
      'EVENT_SESSION_ID',
      'a session id is 1 to 128 of the characters 0-9 A-Z a-z . _ - and starts with a letter or digit',
    );
  }
}

/**
 * The one writer of one session's stream. Each event carries the hash of the bytes before it, so the state is a counter
 * and a hash. Nothing here does I/O: who calls it writes `bytes`, in the order in which they came.
 * An event that could not be made, or that `take` threw on, leaves the state as it was: the next one has its number.
 */
export class SessionStream {
  #sequence: number;
  #head: string;
  #ended = false;
  readonly #identity: StreamIdentity;
  readonly #key: SigningKey;

  /** `resume` continues a stream whose events up to `resume.sequence` are on record. Throws `EVENT_SESSION_ID`. */
  constructor(identity: StreamIdentity, key: SigningKey, resume?: Omit<StreamState, 'session'>) {
    checkSessionId(identity.session);
    this.#identity = identity;
    this.#key = key;
    this.#sequence = resume?.sequence ?? 0;
    this.#head = resume?.head ?? CHAIN_START;
  }

  get state(): StreamState {
    return { session: this.#identity.session, sequence: this.#sequence, head: this.#head };
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** The next event. Throws `EVENT_STREAM_ENDED` after the closing one, `EVENT_SEQUENCE_EXHAUSTED` at 2^31. */
  event<Type extends Exclude<keyof SessionEvents, ClosingEventType>>(
    type: Type,
    data: SessionEvents[Type],
    timeMs: number,
    take?: Take,
  ): Written<SessionEnvelope<Type, SessionEvents[Type]>> {
    return this.#append(type, data, timeMs, take);
  }

  /** The regular end: counts, signs, and lets nothing follow. */
  close(data: Omit<SessionClosed, ClosingProof>, timeMs: number, take?: Take): Written<SessionEnvelope<'session.closed', SessionClosed>> {
    return this.#end('session.closed', { ...data, ...this.#proof() }, timeMs, take);
  }

  /** The end that is written for a session whose edge died. */
  abort(
    data: Omit<SessionAborted, ClosingProof>,
    timeMs: number,
    take?: Take,
  ): Written<SessionEnvelope<'session.aborted', SessionAborted>> {
    return this.#end('session.aborted', { ...data, ...this.#proof() }, timeMs, take);
  }

  #proof(): Pick<SessionClosed, ClosingProof> {
    const statement = closingStatement(this.#identity.session, this.#sequence, this.#head);
    return { count: this.#sequence, head: this.#head, key: this.#key.id, signature: this.#key.sign(statement).toString('base64') };
  }

  #end<Type extends string, Data>(type: Type, data: Data, timeMs: number, take?: Take): Written<SessionEnvelope<Type, Data>> {
    const written = this.#append(type, data, timeMs, take);
    this.#ended = true;
    return written;
  }

  #append<Type extends string, Data>(type: Type, data: Data, timeMs: number, take?: Take): Written<SessionEnvelope<Type, Data>> {
    if (this.#ended) throw new EventError('EVENT_STREAM_ENDED', `session ${this.#identity.session} has ended`);
    const sequence = this.#sequence;
    if (sequence > MAX_SEQUENCE)
      throw new EventError('EVENT_SEQUENCE_EXHAUSTED', `session ${this.#identity.session} has no sequence number left`);
    const { session, source, subject } = this.#identity;
    const event: SessionEnvelope<Type, Data> = {
      specversion: '1.0',
      id: `${session}:${sequence}`,
      source,
      type,
      subject,
      time: new Date(timeMs).toISOString(),
      datacontenttype: 'application/json',
      sessionid: session,
      sequence,
      prev: this.#head,
      data,
    };
    const bytes = Buffer.from(JSON.stringify(event));
    take?.(bytes);
    this.#head = chainHash(bytes);
    this.#sequence = sequence + 1;
    return { event, bytes };
  }
}
