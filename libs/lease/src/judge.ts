import type { IdentityPort, Principal, Revocations } from '@sallyport/identity';

import { LeaseError } from './errors.js';
import { type LeaseOrder, type SealedLeaseRequest, tokenBinding } from './lease.js';

/** What policy is asked before a credential is lent: all of it is the vendor's own knowledge, but for the run of a token that names none. */
export interface ConnectQuestion {
  readonly principal: Principal;
  readonly session: string;
  readonly run: string | null;
  readonly resource: string;
}

export interface ConnectAnswer {
  readonly allowed: boolean;
  /** Credential profiles that the verdict names. */
  readonly profiles: readonly string[];
}

export interface JudgeOptions {
  /** Opens what was sealed to this vendor; rejects when it was sealed to somebody else or for something else. */
  readonly open: (sealed: string, binding: Readonly<Record<string, string>>) => Promise<string>;
  readonly identity: IdentityPort;
  readonly revocations: Pick<Revocations, 'covers'>;
  readonly mayConnect: (question: ConnectQuestion) => ConnectAnswer | Promise<ConnectAnswer>;
  /** How long identity and policy may take together. */
  readonly judgeTimeoutMs: number;
  /** How far the clocks of the services may be apart: a credential may outlive its token by this much at the target, and no more. */
  readonly clockSkewMs: number;
}

/** Whether the session may have what its edge asks for, and what exactly. Rejects with a `LeaseError`. */
export type LeaseJudge = (request: SealedLeaseRequest) => Promise<LeaseOrder>;

/**
 * The vendor does not believe the edge (docs/adr/0020). Who asks is whom the agent's own token names; what is lent is what policy says of
 * that principal, asked here. What the request says beside that has to agree.
 */
export function leaseJudge(options: JudgeOptions): LeaseJudge {
  const { identity, revocations, mayConnect, judgeTimeoutMs, clockSkewMs } = options;

  const principalOf = async (request: SealedLeaseRequest, signal: AbortSignal): Promise<Principal> => {
    let token: string;
    try {
      token = await options.open(request.sealedToken, tokenBinding(request));
    } catch {
      throw refusedToken('it does not open for this session');
    }
    const identified = await identity.identify(token, signal);
    // The code alone: what is said about a token may quote it.
    if (!identified.ok) throw refusedToken(identified.code);
    const { principal } = identified;
    if (principal.subject !== request.subject) throw refusedToken('it is for another principal than the session');
    return principal;
  };

  const profilesFor = async (request: SealedLeaseRequest, principal: Principal): Promise<readonly string[]> => {
    const { session, resource } = request;
    let answer: ConnectAnswer;
    try {
      answer = await mayConnect({ principal, session, run: principal.run ?? request.run, resource });
    } catch (cause) {
      throw new LeaseError('LEASE_VERDICT', 'policy gave no answer', { cause });
    }
    if (!answer.allowed) throw new LeaseError('LEASE_VERDICT', 'policy does not let this principal reach the resource');
    if (!sameNames(answer.profiles, request.profiles)) {
      throw new LeaseError('LEASE_VERDICT', 'the request names other profiles than the verdict');
    }
    return answer.profiles;
  };

  return async (request) => {
    const signal = AbortSignal.timeout(judgeTimeoutMs);
    const { session, resource, subject, database, publicKey } = request;
    const principal = await inTime(signal, principalOf(request, signal), refusedToken('identity gave no answer in time'));
    const profiles = await inTime(
      signal,
      profilesFor(request, principal),
      new LeaseError('LEASE_VERDICT', 'policy gave no answer in time'),
    );
    // Last, because it may have happened meanwhile.
    if (revocations.covers(principal)) throw refusedToken('REVOKED');
    return {
      session,
      resource,
      subject,
      ...(database === undefined ? {} : { database }),
      profiles,
      // Both are moments of other clocks: taken as they are, a session would be over before it began where this one runs ahead.
      notAfterMs: Math.min(request.notAfterMs, principal.expiresAtMs) + clockSkewMs,
      publicKey,
    };
  };
}

function refusedToken(why: string): LeaseError {
  return new LeaseError('LEASE_TOKEN', `the token is not accepted: ${why}`);
}

function sameNames(some: readonly string[], others: readonly string[]): boolean {
  return JSON.stringify([...new Set(some)].sort()) === JSON.stringify([...new Set(others)].sort());
}

function inTime<T>(signal: AbortSignal, work: Promise<T>, error: LeaseError): Promise<T> {
  return new Promise((resolve, reject) => {
    const late = (): void => reject(error);
    if (signal.aborted) late();
    signal.addEventListener('abort', late, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', late));
  });
}
