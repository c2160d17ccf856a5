import type { EndReason, Session } from '@sallyport/session';
import type { Log } from './log.js';

export interface LiveSession {
  readonly session: Session;
  end(reason: EndReason, detail: string): void;
}

export interface LiveSessionLimits {
  readonly maxSessions: number;
  readonly maxSessionsPerPrincipal: number;
}

/** A session from its opening until its end is on record. */
interface Held extends LiveSession {
  readonly recorded: Promise<void>;
  readonly settle: (recorded: Promise<unknown>) => void;
}

/**
 * The sessions that this edge holds: counted against their limits, ended when their time is over or somebody revokes them. One that has
 * ended doesn't count any more, and is held until its end is on record: only then is a revocation carried out.
 */
export class LiveSessions {
  readonly #sessions = new Map<string, Held>();
  readonly #ending = new Map<string, Held>();
  readonly #perPrincipal = new Map<string, number>();
  readonly #clock: NodeJS.Timeout;

  constructor(
    private readonly limits: LiveSessionLimits,
    nowMs: () => number,
    private readonly log: Pick<Log, 'error'>,
  ) {
    this.#clock = setInterval(() => {
      const now = nowMs();
      for (const live of this.#sessions.values()) {
        if (live.session.endsAtMs <= now) this.#end(live, 'expired', 'the session’s time is over: token, credential or approval window');
      }
    }, CLOCK_MS);
    this.#clock.unref();
  }

  get size(): number {
    return this.#sessions.size;
  }

  /** The name of the limit that stands in the way of one more session, if any. */
  full(principal: string): string | undefined {
    if (this.#sessions.size >= this.limits.maxSessions) return 'limits.maxSessions';
    if ((this.#perPrincipal.get(principal) ?? 0) >= this.limits.maxSessionsPerPrincipal) return 'limits.maxSessionsPerPrincipal';
    return undefined;
  }

  add(live: LiveSession): void {
    let settle!: Held['settle'];
    const recorded = new Promise<void>((resolve, reject) => (settle = (end) => void end.then(() => resolve(), reject)));
    // Whoever asks hears of it; when nobody does it is no error.
    recorded.catch(() => undefined);
    this.#sessions.set(live.session.id, { session: live.session, end: (reason, detail) => live.end(reason, detail), recorded, settle });
    const { subject } = live.session.principal;
    this.#perPrincipal.set(subject, (this.#perPrincipal.get(subject) ?? 0) + 1);
  }

  /**
   * It has ended, and makes room for another.
   * @param recorded  resolves when its end is durable on record, or there is nothing to record; rejects when that can not be.
   */
  remove(id: string, recorded: Promise<unknown> = Promise.resolve()): void {
    const held = this.#sessions.get(id);
    if (!held) return;
    this.#sessions.delete(id);
    this.#ending.set(id, held);
    held.settle(recorded);
    void held.recorded.catch(() => undefined).finally(() => this.#ending.delete(id));
    const { subject } = held.session.principal;
    const left = (this.#perPrincipal.get(subject) ?? 1) - 1;
    if (left > 0) this.#perPrincipal.set(subject, left);
    else this.#perPrincipal.delete(subject);
  }

  /** Resolves with how many sessions that were when the end of each is on record; rejects when one can't be put there. */
  revokeSession(id: string, why: string): Promise<number> {
    return this.#revoke((session) => session.id === id, why);
  }

  /** Every session of a principal, and of whoever acts for it. Resolves as {@link revokeSession}. */
  revokePrincipal(subject: string, issuer: string | undefined, why: string): Promise<number> {
    return this.#revoke(({ principal }) => {
      const named = (one: { readonly subject: string; readonly issuer?: string }): boolean =>
        one.subject === subject && (issuer === undefined || (one.issuer ?? principal.issuer) === issuer);
      return named(principal) || principal.actors.some(named);
    }, why);
  }

  endAll(reason: EndReason, detail: string): void {
    for (const live of this.#sessions.values()) this.#end(live, reason, detail);
  }

  close(): void {
    clearInterval(this.#clock);
  }

  async #revoke(fits: (session: Session) => boolean, why: string): Promise<number> {
    const live = [...this.#sessions.values()].filter(({ session }) => fits(session));
    // What was about to end anyway is waited for too: nothing of it goes on when the revocation is confirmed.
    const ending = [...this.#ending.values()].filter(({ session }) => fits(session));
    for (const one of live) this.#end(one, 'revoked', why);
    await Promise.all([...live, ...ending].map(({ recorded }) => recorded));
    return live.length;
  }

  /** One that can't be ended must not keep the others alive. */
  #end({ session, end }: Held, reason: EndReason, detail: string): void {
    try {
      end(reason, detail);
    } catch (error) {
      this.log.error({ err: error, session: session.id }, 'a session could not be ended');
    }
  }
}

/** How late a session's end may be noticed. */
const CLOCK_MS = 250;
