import type { Approver } from './approval.js';
import type { Engine, Entrypoint } from './engine.port.js';
import type { PrincipalFacts, ResourceFacts } from './policy-input.js';
import type { Rule } from './verdict.js';

/** Input of `sallyport/approval`. */
export interface ApprovalQuestion {
  readonly approver: PrincipalFacts;
  readonly hold: {
    readonly requester: PrincipalFacts;
    readonly resource: ResourceFacts;
    /** Of the verdict's requirement. */
    readonly groups: readonly string[];
    /** Who has answered already. */
    readonly given: readonly Approver[];
  };
}

export type ConsoleAction =
  | 'sessions.read'
  | 'sessions.revoke'
  | 'approvals.read'
  | 'approvals.decide'
  | 'leases.read'
  | 'principals.read'
  | 'principals.revoke'
  | 'policy.read';

/** Input of `sallyport/console`. `target` is the one session or hold: whose it is and, for a hold, which groups may approve it. */
export interface ConsoleQuestion {
  readonly principal: PrincipalFacts;
  readonly action: ConsoleAction;
  readonly target?: { readonly principal: Approver; readonly groups?: readonly string[] };
}

export interface Answer {
  readonly allow: boolean;
  readonly rules: readonly Rule[];
  readonly reasons: readonly string[];
}

/**
 * `all`: whatever there is. `own`: with a target, that one; without, the list opens but each row has to be asked about with its
 * target before it is shown.
 */
export interface ConsoleAnswer extends Answer {
  readonly scope: 'all' | 'own' | 'none';
}

/** May this principal answer this hold? Fails closed: what can't be judged is a no. */
export function mayApprove(engine: Engine, { approver, hold }: ApprovalQuestion): Answer {
  const answer = ask(engine, 'sallyport/approval', { approver: facts(approver), hold: { ...hold, requester: facts(hold.requester) } });
  return answer === null ? REFUSED : { allow: answer['allow'] === true, ...grounds(answer) };
}

/** May this principal do this in the console? Fails closed: what can't be judged is a no. */
export function mayInConsole(engine: Engine, { principal, ...question }: ConsoleQuestion): ConsoleAnswer {
  const answer = ask(engine, 'sallyport/console', { principal: facts(principal), ...question });
  const scope = answer?.['scope'];
  if (answer === null || (scope !== 'all' && scope !== 'own') || answer['allow'] !== true) {
    return { ...(answer === null ? REFUSED : grounds(answer)), allow: false, scope: 'none' };
  }
  return { allow: true, scope, ...grounds(answer) };
}

const REFUSED: Answer = {
  allow: false,
  rules: [{ path: 'sallyport.error', title: 'What policy can not judge is refused' }],
  reasons: ['The policy could not judge this.'],
};

function ask(engine: Engine, entrypoint: Entrypoint, input: unknown): Readonly<Record<string, unknown>> | null {
  try {
    const value = engine.evaluate(entrypoint, input);
    if (typeof value !== 'object' || value === null || !Array.isArray((value as Answer).rules) || !Array.isArray((value as Answer).reasons))
      return null;
    return value as Readonly<Record<string, unknown>>;
  } catch {
    return null;
  }
}

function grounds(answer: Readonly<Record<string, unknown>>): Pick<Answer, 'rules' | 'reasons'> {
  return { rules: answer['rules'] as readonly Rule[], reasons: answer['reasons'] as readonly string[] };
}

/** A principal has more to it (an end, a token id) than policy is told. */
function facts({ subject, issuer, provider, kind, groups, actors }: PrincipalFacts): PrincipalFacts {
  return { subject, issuer, provider, kind, groups, actors };
}
