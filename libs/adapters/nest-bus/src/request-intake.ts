import type { BusRecord } from '@sallyport/bus';
import { ClockOffsets, type Role, ReplayWindow, type Roster, type Service, signerOf, type Unsigned } from '@sallyport/trust';
import { decodeRequests, type RequestRecord, type WireRequest } from './wire.js';

export interface IntakeLimits {
  /** Of a record: what is larger is not even verified. */
  readonly maxRecordBytes: number;
  /**
   * How far a record's time may be from ours, either way. It bounds what a recording is good for after a restart, when nobody knows
   * any more what was there before.
   */
  readonly maxClockSkewMs: number;
  /** How long the difference of two clocks is remembered: that long a clock that is set back makes everything seem late. */
  readonly clockMemoryMs: number;
  /** The longest that a request may take, whatever it says itself. */
  readonly maxRequestTimeoutMs: number;
}

export const INTAKE_LIMITS: IntakeLimits = {
  maxRecordBytes: 4 * 2 ** 20,
  maxClockSkewMs: 10 * 60_000,
  clockMemoryMs: 60_000,
  maxRequestTimeoutMs: 10 * 60_000,
};

/** Why a record, or one request of it, was passed over. */
export type DistrustedRequest =
  | Unsigned
  | 'too-large'
  | 'malformed'
  /** Its time is too far from ours. */
  | 'out-of-time'
  /** It was here before. */
  | 'replayed'
  /** Its signer's role may not ask for it. The only one that is told so. */
  | 'not-allowed';

/** A request that somebody has asked who may, now, and for the first time. */
export interface Asked {
  readonly record: BusRecord;
  readonly request: WireRequest;
  readonly client: string;
  readonly replyPartition: number;
  readonly caller: Service;
  /** By the clock of {@link IntakeOptions.monotonicMs}. */
  readonly deadlineMs: number;
  readonly bytes: number;
}

export interface IntakeOptions extends IntakeLimits {
  readonly roster: Roster;
  /** Pattern → who may ask. What isn't in it may be asked by nobody. */
  readonly callers: Readonly<Record<string, readonly Role[]>>;
  nowMs(): number;
  /** A clock that nobody sets. */
  monotonicMs(): number;
  onAsked(asked: Asked): void;
  onRefused(asked: Asked): void;
  onDistrusted(reason: DistrustedRequest, record: BusRecord): void;
  onExpired(): void;
}

/** What is remembered of one service: another one can't push it out. */
interface Remembered {
  readonly window: ReplayWindow;
  readonly clocks: ClockOffsets;
}

/** Decides which requests of a record may be handled. Never throws: a record that is none of ours must not stop the others. */
export class RequestIntake {
  /** By service: no more than are enrolled. */
  readonly #remembered = new Map<string, Remembered>();

  constructor(private readonly options: IntakeOptions) {}

  take(record: BusRecord): void {
    const { roster, maxRecordBytes, maxClockSkewMs, nowMs, onDistrusted } = this.options;
    if (record.value.length > maxRecordBytes) return onDistrusted('too-large', record);
    const signed = signerOf(roster, record);
    if (!signed.ok) return onDistrusted(signed.reason, record);
    const asked = decodeRequests(record.value);
    if (!asked) return onDistrusted('malformed', record);
    if (Math.abs(nowMs() - asked.sentAtMs) > maxClockSkewMs) return onDistrusted('out-of-time', record);
    this.#takeEach(record, asked, signed.service);
  }

  #takeEach(record: BusRecord, { client, partition, sentAtMs, requests }: RequestRecord, caller: Service): void {
    const { callers, clockMemoryMs, maxRequestTimeoutMs, monotonicMs, onAsked, onRefused, onDistrusted, onExpired } = this.options;
    const { window, clocks } = this.#of(caller.name);
    const now = monotonicMs();
    const sentAt = now - clocks.ageMs(`${client} ${Math.floor(now / clockMemoryMs)}`, sentAtMs, now);
    for (const request of requests) {
      // Each lane has its own window: one that lags behind the others is not taken for a replay.
      if (!window.first(`${client} ${request.lane}`, request.id)) {
        onDistrusted('replayed', record);
        continue;
      }
      const deadlineMs = sentAt + Math.min(request.timeoutMs, maxRequestTimeoutMs);
      const bytes = Math.ceil(record.value.length / requests.length);
      const asked: Asked = { record, request, client, replyPartition: partition, caller, deadlineMs, bytes };
      const allowed = Object.hasOwn(callers, request.pattern) && callers[request.pattern]!.includes(caller.role);
      if (deadlineMs <= now) onExpired();
      else if (allowed) onAsked(asked);
      else {
        onDistrusted('not-allowed', record);
        onRefused(asked);
      }
    }
  }

  #of(service: string): Remembered {
    let known = this.#remembered.get(service);
    if (!known) this.#remembered.set(service, (known = { window: new ReplayWindow(), clocks: new ClockOffsets() }));
    return known;
  }
}
