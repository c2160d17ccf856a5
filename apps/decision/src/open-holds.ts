import { type ApprovalRequested, type ControlEvent, parseEvent } from '@sallyport/events';
import { type Principal, Revocations } from '@sallyport/identity';
import type { Approver } from '@sallyport/verdict';
import type { Logger } from 'pino';

export interface OpenHold extends ApprovalRequested {
  readonly session: string;
  /** The edge that asks, as `source` of its events. */
  readonly source: string;
  /** Who has agreed so far, each person once. */
  readonly given: readonly Approver[];
}

type Answered = Extract<ControlEvent, { type: 'approval.given' | 'approval.refused' }>;

/** Answers to holds that are not known here (yet): with several decision services another one may be ahead. The oldest are forgotten. */
export const EARLY_ANSWERS_MAX = 10_000;
/** Holds that wait, of all edges; more can't be answered until some are over, and are refused by their edge in time. */
export const OPEN_HOLDS_MAX = 10_000;
/** Of these, one edge's: one that asks for much leaves room for the others. */
export const OPEN_HOLDS_OF_EDGE_MAX = OPEN_HOLDS_MAX / 4;

/**
 * The holds that wait for people, and who was revoked and can't answer them: a fold of the session and control streams.
 *
 * The control stream's events and requests for approval are signed one by one, the other events of a session are not. So who may write
 * to the sessions topic can say that a hold or its session is over: it can't be answered any more, and the edge refuses the operation
 * when its time is over. What its edge asks a second time for a hold that is known is passed over. When two edges ask for one hold, one of
 * them lies about who may approve it, and which of them came first is not known where they stand in two partitions: it can't be answered.
 */
export class OpenHolds {
  readonly #open = new Map<string, OpenHold>();
  /** Those that are over: asked for once more they stay so. As long as they could be asked for at all. */
  readonly #over = new Map<string, number>();
  /** Edge → how many of its holds are open. */
  readonly #ofEdge = new Map<string, number>();
  /** Hold → ids of the answers that are under way or written. */
  readonly #begun = new Map<string, Set<string>>();
  readonly #early: Answered[] = [];
  #sweptAtMs = 0;
  readonly #revocations: Revocations;

  constructor(
    private readonly limits: { readonly holdTimeoutMs: number; readonly revocationSkewMs: number },
    private readonly nowMs: () => number,
  ) {
    this.#revocations = new Revocations(limits.revocationSkewMs);
  }

  get(hold: string): OpenHold | undefined {
    const open = this.#open.get(hold);
    return open && Date.parse(open.expires) > this.nowMs() ? open : undefined;
  }

  /** Whether the principal's token is from before it was revoked. */
  isRevoked(principal: Principal): boolean {
    return this.#revocations.covers(principal);
  }

  get size(): number {
    return this.#open.size;
  }

  /** False when this answer is being written, or was: it isn't to be written again. */
  begin(hold: string, answerId: string): boolean {
    const begun = this.#begun.get(hold) ?? new Set();
    if (begun.has(answerId)) return false;
    this.#begun.set(hold, begun.add(answerId));
    return true;
  }

  /** It may not have been written after all. */
  undo(hold: string, answerId: string): void {
    this.#begun.get(hold)?.delete(answerId);
  }

  /** An event of the sessions topic; a request for approval only if its edge has signed it. */
  session(bytes: Buffer, log: Pick<Logger, 'error'>): void {
    try {
      // Only a few of many events matter here: the others aren't read at all.
      if (!RELEVANT.some((mark) => bytes.includes(mark))) return;
      const parsed = parseEvent(bytes);
      if (parsed.stream !== 'session') return;
      const { event } = parsed;
      switch (event.type) {
        case 'approval.requested':
          return this.#requested({ ...event.data, session: event.sessionid, source: event.source, given: [] });
        case 'approval.applied':
          if (this.#open.get(event.data.hold)?.session === event.sessionid) this.#close(event.data.hold);
          return;
        case 'session.closed':
        case 'session.aborted':
          for (const [id, hold] of this.#open) if (hold.session === event.sessionid) this.#close(id);
          return;
        default:
      }
    } catch (error) {
      log.error({ err: error }, 'an event can not be read');
    }
  }

  /** A signed event of the control stream. */
  control(event: ControlEvent): void {
    switch (event.type) {
      case 'approval.given':
      case 'approval.refused':
        if (this.#open.has(event.data.hold)) return this.#answered(event);
        if (this.#over.has(event.data.hold)) return;
        this.#early.push(event);
        if (this.#early.length > EARLY_ANSWERS_MAX) this.#early.shift();
        return;
      case 'principal.revoked':
        return this.#revocations.revoke(event.data.subject, event.data.issuer, Date.parse(event.time));
      default:
    }
  }

  #requested(hold: OpenHold): void {
    const known = this.#open.get(hold.hold);
    if (known) return known.source === hold.source ? undefined : this.#close(hold.hold);
    if (this.#over.has(hold.hold) || this.#full(hold.source)) return;
    this.#open.set(hold.hold, hold);
    this.#ofEdge.set(hold.source, (this.#ofEdge.get(hold.source) ?? 0) + 1);
    for (let at = this.#early.findIndex(({ data }) => data.hold === hold.hold); at >= 0;) {
      const [answer] = this.#early.splice(at, 1);
      if (answer) this.control(answer);
      at = this.#early.findIndex(({ data }) => data.hold === hold.hold);
    }
  }

  #answered(event: Answered): void {
    const hold = this.#open.get(event.data.hold);
    // An answer is to what its approver saw.
    if (!hold || hold.hash !== event.data.hash || hold.session !== event.data.session) return;
    if (event.type === 'approval.refused') return this.#close(hold.hold);
    const { subject, issuer } = event.data.by;
    if (hold.given.some((one) => one.subject === subject && one.issuer === issuer)) return;
    this.#open.set(hold.hold, { ...hold, given: [...hold.given, { subject, issuer }] });
  }

  #full(source: string): boolean {
    const isFull = (): boolean => this.#open.size >= OPEN_HOLDS_MAX || (this.#ofEdge.get(source) ?? 0) >= OPEN_HOLDS_OF_EDGE_MAX;
    if (!isFull()) return false;
    const now = this.nowMs();
    // Not for each that asks in vain.
    if (Math.abs(now - this.#sweptAtMs) < SWEEP_EVERY_MS) return true;
    this.#sweptAtMs = now;
    for (const [id, { expires }] of this.#open) if (Date.parse(expires) <= now) this.#close(id);
    return isFull();
  }

  #close(id: string): void {
    const open = this.#open.get(id);
    const left = open ? (this.#ofEdge.get(open.source) ?? 1) - 1 : 0;
    if (open && left > 0) this.#ofEdge.set(open.source, left);
    else if (open) this.#ofEdge.delete(open.source);
    this.#open.delete(id);
    this.#begun.delete(id);
    const now = this.nowMs();
    this.#over.set(id, now);
    // In the order in which they were over: the first that is young enough ends the search.
    for (const [old, atMs] of this.#over) {
      if (now - atMs <= this.limits.holdTimeoutMs && this.#over.size <= OVER_MAX) break;
      this.#over.delete(old);
    }
  }
}

const SWEEP_EVERY_MS = 1000;
/** Ids of holds that are over, at most. */
const OVER_MAX = 100_000;

/** As an envelope is written: its type stands behind its source, without white space. */
const RELEVANT = ['approval.', 'session.closed', 'session.aborted'].map((type) => Buffer.from(`"type":"${type}`));
