import type { EndReason, Session } from '@sallyport/session';

export interface LiveSession {
  readonly session: Session;
  end(reason: EndReason, detail: string): void;
}

export interface LiveSessionLimits {
  readonly maxSessions: number;
  readonly maxSessionsPerPrincipal: number;
}

/** The sessions that this edge holds: counted against their limits, ended when their time is over or somebody revokes them. */
export class LiveSessions {
  readonly #sessions = new Map<string, LiveSession>();
  readonly #perPrincipal = new Map<string, number>();
  readonly #clock: NodeJS.Timeout;

  constructor(
    private readonly limits: LiveSessionLimits,
    nowMs: () => number,
  ) {
    this.#clock = setInterval(() => {
      const now = nowMs();
      for (const live of this.#sessions.values()) {
        if (live.session.endsAtMs <= now) live.end('expired', 'the session’s time is over: token, credential or approval window');
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
    this.#sessions.set(live.session.id, live);
    const { subject } = live.session.principal;
    this.#perPrincipal.set(subject, (this.#perPrincipal.get(subject) ?? 0) + 1);
  }

  remove(id: string): void {
    const live = this.#sessions.get(id);
    if (!live) return;
    this.#sessions.delete(id);
    const { subject } = live.session.principal;
    const left = (this.#perPrincipal.get(subject) ?? 1) - 1;
    if (left > 0) this.#perPrincipal.set(subject, left);
    else this.#perPrincipal.delete(subject);
  }

  revokeSession(id: string, why: string): void {
    this.#sessions.get(id)?.end('revoked', why);
  }

  /** Every session of a principal, and of whoever acts for it. */
  revokePrincipal(subject: string, issuer: string | undefined, why: string): void {
    for (const live of this.#sessions.values()) {
      const { principal } = live.session;
      const named = (one: { readonly subject: string; readonly issuer?: string }): boolean =>
        one.subject === subject && (issuer === undefined || (one.issuer ?? principal.issuer) === issuer);
      if (named(principal) || principal.actors.some(named)) live.end('revoked', why);
    }
  }

  endAll(reason: EndReason, detail: string): void {
    for (const live of this.#sessions.values()) live.end(reason, detail);
  }

  close(): void {
    clearInterval(this.#clock);
  }
}

/** How late a session's end may be noticed. */
const CLOCK_MS = 250;
