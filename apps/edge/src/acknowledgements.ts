import { randomUUID } from 'node:crypto';
import type { Bus } from '@sallyport/bus';
import type { SigningKey } from '@sallyport/events';
import { writeControl } from '@sallyport/trust';
import type { Log } from './log.js';

export interface AcknowledgementPorts {
  readonly bus: Pick<Bus, 'produce'>;
  /** Of the edge: signs what it confirms. */
  readonly key: SigningKey;
  readonly nowMs: () => number;
  readonly log: Pick<Log, 'warn' | 'error'>;
}

const RETRY_FIRST_MS = 50;
const RETRY_LAST_MS = 5000;

/**
 * Confirms revocations (P10): `revocation.applied`, once for each, when every session that it ends has its end on record. Too late
 * rather than wrongly: what can't be recorded isn't confirmed, and what the bus doesn't take is tried again, also by the next start.
 * It holds one id for each revocation that ever was.
 */
export class Acknowledgements {
  /** Revocations that are confirmed, or being so. */
  readonly #known = new Set<string>();
  /** Heard while catching up: by the end of that it is known which were confirmed before. */
  #before: Set<string> | undefined = new Set();
  readonly #ready: { readonly revocation: string; readonly sessions: number }[] = [];
  #writing: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(private readonly ports: AcknowledgementPorts) {}

  /** An acknowledgement of this edge's own is on the stream already. */
  acknowledged(revocation: string): void {
    this.#known.add(revocation);
    this.#before?.delete(revocation);
  }

  /** @param ended  resolves with the number of sessions, when all are over. */
  revoked(revocation: string, ended: Promise<number>): void {
    ended.then(
      (sessions) => this.#confirm(revocation, sessions),
      (error: unknown) =>
        this.ports.log.error({ err: error, revocation }, 'a revocation is not confirmed: a session’s end is not on record'),
    );
  }

  /** One from before this edge has started: nothing of it can live. */
  revokedBefore(revocation: string): void {
    if (!this.#known.has(revocation)) this.#before?.add(revocation);
  }

  /** The stream was read to its end: what is still unconfirmed from before is confirmed now. */
  caughtUp(): void {
    const before = this.#before ?? [];
    this.#before = undefined;
    for (const revocation of before) this.#confirm(revocation, 0);
  }

  /** What isn't written yet is left to the next start. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#writing;
  }

  #confirm(revocation: string, sessions: number): void {
    if (this.#known.has(revocation) || this.#closed) return;
    this.#known.add(revocation);
    this.#ready.push({ revocation, sessions });
    if (this.#ready.length === 1) this.#writing = this.#write();
  }

  async #write(): Promise<void> {
    let pauseMs = RETRY_FIRST_MS;
    for (let next = this.#ready[0]; next && !this.#closed; next = this.#ready[0]) {
      const { bus, key, nowMs, log } = this.ports;
      try {
        await writeControl(
          bus,
          key,
          { id: randomUUID(), subject: key.name, key: next.revocation, timeMs: nowMs() },
          'revocation.applied',
          next,
        );
        this.#ready.shift();
        pauseMs = RETRY_FIRST_MS;
      } catch (error) {
        log.warn({ err: error, revocation: next.revocation }, 'a revocation can not be confirmed yet');
        await new Promise((resolve) => setTimeout(resolve, pauseMs).unref());
        pauseMs = Math.min(pauseMs * 2, RETRY_LAST_MS);
      }
    }
  }
}
