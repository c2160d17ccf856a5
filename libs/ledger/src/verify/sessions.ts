import { CHAIN_START, chainHash, closingStatement, parseEnvelope, isSessionEnvelope } from '@sallyport/events';
import type { SessionEnvelope, VerifierKey } from '@sallyport/events';
import { Operations } from './operations.js';
import { RecentHashes } from './recent-hashes.js';
import type { Findings, Place } from './report.js';

export interface SessionLimits {
  /** Events of a session that a second copy can be compared with: more than a writer ever has under way. */
  readonly rememberedEvents: number;
  /** Ended sessions that are remembered, for second copies of their last events. */
  readonly rememberedSessions: number;
}

export const SESSION_LIMITS: SessionLimits = { rememberedEvents: 1024, rememberedSessions: 4096 };

interface SessionState {
  sequence: number;
  head: string;
  readonly hashes: RecentHashes;
  readonly operations: Operations;
}

/** Role by name: a key that signs checkpoints doesn't sign sessions, nor the other way round. */
export const EDGE_KEY_PREFIX = 'edge/';
export const LEDGER_KEY_PREFIX = 'ledger/';

/** Checks the chain of every session, event by event in log order. Holds a constant amount for each open session. */
export class Sessions {
  readonly #open = new Map<string, SessionState>();
  readonly #ended = new Map<string, SessionState>();
  readonly #keys: ReadonlyMap<string, VerifierKey>;
  #opened = 0;
  #closed = 0;
  #aborted = 0;
  #redelivered = 0;

  constructor(
    private readonly findings: Findings,
    trusted: readonly VerifierKey[],
    private readonly limits: SessionLimits = SESSION_LIMITS,
  ) {
    this.#keys = new Map(trusted.filter((key) => key.name.startsWith(EDGE_KEY_PREFIX)).map((key) => [key.id, key]));
  }

  get counts(): { opened: number; closed: number; aborted: number; open: readonly string[]; redelivered: number } {
    return {
      opened: this.#opened,
      closed: this.#closed,
      aborted: this.#aborted,
      open: [...this.#open.keys()],
      redelivered: this.#redelivered,
    };
  }

  event(bytes: Uint8Array, at: Place): void {
    let event;
    try {
      event = parseEnvelope(bytes);
    } catch (error) {
      this.findings.broken('EVENT_MALFORMED', at, (error as Error).message);
      return;
    }
    const place: Place = { ...at, event: event.id };
    if (!isSessionEnvelope(event)) {
      this.findings.broken('EVENT_MISPLACED', place, 'an event that belongs to no session stands in the log of sessions');
      return;
    }
    const hash = chainHash(bytes);
    const ended = this.#ended.get(event.sessionid);
    const state = ended ?? this.#open.get(event.sessionid);
    if (!state) {
      this.#begin(event, hash, place);
    } else if (event.sequence < state.sequence) {
      this.#again(state, event, hash, place);
    } else if (ended) {
      this.findings.broken('EVENT_AFTER_CLOSING', place, 'an event follows the one that closed its session');
    } else {
      this.#next(state, event, hash, place);
    }
  }

  #begin(event: SessionEnvelope, hash: string, place: Place): void {
    const opening = event.type === 'session.opened' && event.sequence === 0 && event.prev === CHAIN_START;
    if (!opening) {
      this.findings.broken(
        'SESSION_NOT_OPENED',
        place,
        'the first event of its session here is not the one that opens it: what stood before is gone or was changed',
      );
    } else if ((event.data as { session?: unknown } | null)?.session !== event.sessionid) {
      this.findings.broken('EVENT_MISPLACED', place, 'the opening event names another session in its data');
    }
    this.#opened += 1;
    const state = {
      sequence: 0,
      head: '',
      hashes: new RecentHashes(this.limits.rememberedEvents),
      operations: new Operations(this.findings),
    };
    this.#open.set(event.sessionid, state);
    this.#accept(state, event, hash, place);
  }

  #next(state: SessionState, event: SessionEnvelope, hash: string, place: Place): void {
    if (event.sequence > state.sequence) {
      const missing = event.sequence - state.sequence;
      this.findings.broken(
        'SEQUENCE_GAP',
        place,
        `${missing} ${missing === 1 ? 'event' : 'events'} of the session before this one ${missing === 1 ? 'is' : 'are'} missing`,
      );
    } else if (event.prev !== state.head) {
      this.findings.broken('PREV_MISMATCH', place, 'prev is not the hash of the event before: one of the two was changed');
    }
    if (event.type === 'session.opened') this.findings.broken('SESSION_OPENED_TWICE', place, 'the session was opened before');
    this.#accept(state, event, hash, place);
  }

  /** The event is taken as it is, so that one change gives one problem and not one for each event behind it. */
  #accept(state: SessionState, event: SessionEnvelope, hash: string, place: Place): void {
    state.sequence = event.sequence + 1;
    state.head = hash;
    state.hashes.add(event.sequence, hash);
    state.operations.event(event, place);
    if (event.type === 'session.closed' || event.type === 'session.aborted') this.#end(state, event, place);
  }

  #again(state: SessionState, event: SessionEnvelope, hash: string, place: Place): void {
    const before = state.hashes.get(event.sequence);
    if (before === hash) {
      this.#redelivered += 1;
    } else if (before === undefined) {
      this.findings.broken(
        'DUPLICATE_UNPROVEN',
        place,
        'an old place in the session is taken a second time, too long after the first to be compared with it',
      );
    } else {
      this.findings.broken('DUPLICATE_DIFFERS', place, 'the same place in the session is taken a second time by an event with other bytes');
    }
  }

  #end(state: SessionState, event: SessionEnvelope, place: Place): void {
    this.#open.delete(event.sessionid);
    this.#ended.set(event.sessionid, state);
    if (this.#ended.size > this.limits.rememberedSessions) {
      const [oldest] = this.#ended.keys();
      if (oldest !== undefined) this.#ended.delete(oldest);
    }
    if (event.type === 'session.closed') {
      this.#closed += 1;
      state.operations.closed(place);
    } else {
      this.#aborted += 1;
    }
    this.#checkClosing(event, place);
  }

  #checkClosing(event: SessionEnvelope, place: Place): void {
    const { count, head, key: id, signature } = (event.data ?? {}) as Record<string, unknown>;
    if (typeof count !== 'number' || typeof head !== 'string' || typeof id !== 'string' || typeof signature !== 'string') {
      this.findings.broken('EVENT_MALFORMED', place, 'the closing event lacks its count, head, key or signature');
      return;
    }
    if (count !== event.sequence)
      this.findings.broken(
        'CLOSING_COUNT',
        place,
        `the closing event counts ${count} events before it and stands behind ${event.sequence}`,
      );
    if (head !== event.prev)
      this.findings.broken('CLOSING_HEAD', place, 'the head in the closing event is not the hash of the event before it');
    const key = this.#keys.get(id);
    if (!key) {
      this.findings.broken('CLOSING_KEY_UNKNOWN', place, 'the session was closed under a key that is not among the trusted edge keys');
    } else if (!key.verify(closingStatement(event.sessionid, event.sequence, event.prev), Buffer.from(signature, 'base64'))) {
      this.findings.broken('CLOSING_SIGNATURE', place, 'the signature of the closing event is not of this session, count and head');
    }
  }
}
