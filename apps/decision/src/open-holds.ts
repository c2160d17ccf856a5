import { type Bus, type BusRecord, type Consumption, TOPICS } from '@sallyport/bus';
import { type ApprovalRequested, parseEvent } from '@sallyport/events';
import { type Principal, Revocations } from '@sallyport/identity';
import type { Approver } from '@sallyport/verdict';
import type { Logger } from 'pino';

export interface OpenHold extends ApprovalRequested {
  readonly session: string;
  /** Who has agreed so far, each person once. */
  readonly given: readonly Approver[];
}

/** The holds that wait for people, and who was revoked and can't answer them: a fold of the session and control streams. */
export class OpenHolds {
  readonly #open = new Map<string, OpenHold>();
  readonly #revocations = new Revocations();
  #consumptions: Consumption[] = [];

  /** No hold lives longer than `holdTimeoutMs`, so that much of the sessions is enough; the control stream is read from its beginning. */
  async follow(bus: Bus, holdTimeoutMs: number, nowMs: number, log: Logger): Promise<void> {
    const onError = (error: unknown): void => log.error({ err: error }, 'the log can not be followed for holds');
    const onBatch = async (records: readonly BusRecord[]): Promise<void> => records.forEach((record) => this.apply(record.value, log));
    const recent = { at: 'timestamp', timestampMs: nowMs - holdTimeoutMs } as const;
    this.#consumptions.push(await bus.consume({ topic: TOPICS.sessions, start: recent, onBatch, onError }));
    this.#consumptions.push(await bus.consume({ topic: TOPICS.control, start: { at: 'earliest' }, onBatch, onError }));
  }

  get(hold: string, nowMs: number): OpenHold | undefined {
    const open = this.#open.get(hold);
    return open && Date.parse(open.expires) > nowMs ? open : undefined;
  }

  /** Whether the principal's token is from before it was revoked. */
  isRevoked(principal: Principal): boolean {
    return this.#revocations.covers(principal);
  }

  get size(): number {
    return this.#open.size;
  }

  apply(bytes: Buffer, log: Pick<Logger, 'error'>): void {
    try {
      // Only a few of many events matter here: the others aren't read at all.
      if (!RELEVANT.some((mark) => bytes.includes(mark))) return;
      const parsed = parseEvent(bytes);
      if (parsed.stream === 'unknown') return;
      const { event } = parsed;
      switch (event.type) {
        case 'approval.requested':
          this.#open.set(event.data.hold, { ...event.data, session: event.sessionid, given: [] });
          return;
        case 'approval.given': {
          const hold = this.#open.get(event.data.hold);
          const { subject, issuer } = event.data.by;
          if (!hold || hold.given.some((one) => one.subject === subject && one.issuer === issuer)) return;
          this.#open.set(hold.hold, { ...hold, given: [...hold.given, { subject, issuer }] });
          return;
        }
        case 'principal.revoked':
          this.#revocations.revoke(event.data.subject, event.data.issuer, Date.parse(event.time));
          return;
        case 'approval.applied':
        case 'approval.refused':
          this.#open.delete(event.data.hold);
          return;
        case 'session.closed':
        case 'session.aborted':
          for (const [id, hold] of this.#open) if (hold.session === event.sessionid) this.#open.delete(id);
          return;
        default:
      }
    } catch (error) {
      log.error({ err: error }, 'an event can not be read');
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.#consumptions.map((consumption) => consumption.close()));
  }
}

/** As an envelope is written: its type stands behind its source, without white space. */
const RELEVANT = ['approval.', 'principal.revoked', 'session.closed', 'session.aborted'].map((type) => Buffer.from(`"type":"${type}`));
