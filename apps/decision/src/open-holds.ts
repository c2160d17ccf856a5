import { type Bus, type BusRecord, type Consumption, TOPICS } from '@sallyport/bus';
import { type ApprovalRequested, parseEnvelope, parseEvent } from '@sallyport/events';
import type { Approver } from '@sallyport/verdict';
import type { Logger } from 'pino';

export interface OpenHold extends ApprovalRequested {
  readonly session: string;
  /** Who has agreed so far, each person once. */
  readonly given: readonly Approver[];
}

/** The holds that wait for people, as a fold of the session and control streams. */
export class OpenHolds {
  readonly #open = new Map<string, OpenHold>();
  #consumptions: Consumption[] = [];

  /** No hold lives longer than `holdTimeoutMs`, so that much of the log is enough. */
  async follow(bus: Bus, holdTimeoutMs: number, nowMs: number, log: Logger): Promise<void> {
    const start = { at: 'timestamp', timestampMs: nowMs - holdTimeoutMs } as const;
    const onError = (error: unknown): void => log.error({ err: error }, 'the log can not be followed for holds');
    const onBatch = async (records: readonly BusRecord[]): Promise<void> => records.forEach((record) => this.apply(record.value, log));
    for (const topic of [TOPICS.sessions, TOPICS.control]) this.#consumptions.push(await bus.consume({ topic, start, onBatch, onError }));
  }

  get(hold: string, nowMs: number): OpenHold | undefined {
    const open = this.#open.get(hold);
    return open && Date.parse(open.expires) > nowMs ? open : undefined;
  }

  get size(): number {
    return this.#open.size;
  }

  apply(bytes: Buffer, log: Pick<Logger, 'error'>): void {
    try {
      // Only a few of many events matter here: the others aren't checked in depth.
      if (!RELEVANT.has(parseEnvelope(bytes).type)) return;
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

const RELEVANT: ReadonlySet<string> = new Set([
  'approval.requested',
  'approval.given',
  'approval.applied',
  'approval.refused',
  'session.closed',
  'session.aborted',
]);
