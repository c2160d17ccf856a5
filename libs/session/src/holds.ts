import { randomUUID } from 'node:crypto';
import type { ApprovalGiven } from '@sallyport/events';

/** One operation that waits for people. Bound to the exact operation by its hash, used once. */
export interface Hold {
  readonly id: string;
  readonly hash: string;
  readonly session: string;
  readonly requester: string;
  readonly needed: number;
  readonly windowMs: number;
  readonly expiresAtMs: number;
}

export type HoldOutcome =
  | { readonly outcome: 'granted'; readonly by: readonly ApprovalGiven[]; readonly windowEndsMs: number }
  | { readonly outcome: 'denied'; readonly by: readonly ApprovalGiven[] }
  | { readonly outcome: 'expired' | 'cancelled'; readonly by: readonly ApprovalGiven[] };

export class TooManyHolds extends Error {
  readonly code = 'HOLD_LIMIT';
}

interface Waiting {
  readonly hold: Hold;
  readonly given: Map<string, ApprovalGiven>;
  readonly settle: (outcome: HoldOutcome) => void;
}

/**
 * The operations of one edge that wait for approval. The control stream says what people decided; only what names this
 * hold and this very operation counts, each person once.
 */
export class Holds {
  readonly #waiting = new Map<string, Waiting>();

  constructor(
    private readonly limits: { readonly maxHolds: number; readonly maxHoldsPerPrincipal: number; readonly holdTimeoutMs: number },
    private readonly nowMs: () => number,
  ) {}

  get size(): number {
    return this.#waiting.size;
  }

  /** @throws TooManyHolds */
  open(request: Omit<Hold, 'id' | 'expiresAtMs'>): Hold {
    if (this.#waiting.size >= this.limits.maxHolds) {
      throw new TooManyHolds(`${this.#waiting.size} operations wait for approval already (limits.maxHolds)`);
    }
    let mine = 0;
    for (const { hold } of this.#waiting.values()) if (hold.requester === request.requester) mine++;
    if (mine >= this.limits.maxHoldsPerPrincipal) {
      throw new TooManyHolds(`${request.requester} has ${mine} operations waiting for approval (limits.maxHoldsPerPrincipal)`);
    }
    return { ...request, id: randomUUID(), expiresAtMs: this.nowMs() + this.limits.holdTimeoutMs };
  }

  /** Resolves once, with whatever comes first: enough approvals, one refusal, the time-out, or the signal. */
  wait(hold: Hold, signal: AbortSignal): Promise<HoldOutcome> {
    return new Promise((resolve) => {
      const settle = (outcome: HoldOutcome): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', cancelled);
        this.#waiting.delete(hold.id);
        resolve(outcome);
      };
      const given = new Map<string, ApprovalGiven>();
      const cancelled = (): void => settle({ outcome: 'cancelled', by: [...given.values()] });
      const timer = setTimeout(() => settle({ outcome: 'expired', by: [...given.values()] }), Math.max(0, hold.expiresAtMs - this.nowMs()));
      this.#waiting.set(hold.id, { hold, given, settle });
      if (signal.aborted) cancelled();
      else signal.addEventListener('abort', cancelled, { once: true });
    });
  }

  granted(approval: ApprovalGiven): void {
    const waiting = this.#matching(approval);
    if (!waiting) return;
    waiting.given.set(personOf(approval), approval);
    if (waiting.given.size < waiting.hold.needed) return;
    waiting.settle({ outcome: 'granted', by: [...waiting.given.values()], windowEndsMs: this.nowMs() + waiting.hold.windowMs });
  }

  refused(approval: ApprovalGiven): void {
    this.#matching(approval)?.settle({ outcome: 'denied', by: [approval] });
  }

  #matching(approval: ApprovalGiven): Waiting | undefined {
    const waiting = this.#waiting.get(approval.hold);
    return waiting && waiting.hold.hash === approval.hash && waiting.hold.session === approval.session ? waiting : undefined;
  }
}

/** A person counts once, however many groups they are in. */
function personOf(approval: ApprovalGiven): string {
  return `${approval.by.issuer}\n${approval.by.subject}`;
}
