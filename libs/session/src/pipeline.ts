import type { PolicyInput, Verdict } from '@sallyport/verdict';
import { RecordUnavailable } from './recorder.js';
import type { Refusal } from './refusal.js';
import type { Request } from './request.js';
import type { Running, Session } from './session.js';
import { decide, Undecided } from './steps/decide.js';
import { hold } from './steps/hold.js';
import { recordIntent } from './steps/record-intent.js';

/** What becomes of a request. `running` is absent when not even the refusal could be put on record. */
export type Cleared<Plan> =
  | { readonly cleared: true; readonly running: Running; readonly verdict: Verdict; readonly plan: Plan }
  | { readonly cleared: false; readonly running?: Running; readonly refusal: Refusal };

/**
 * The first half of the promise: operation → decide → record intent → (hold) → may be forwarded. The second half, mask →
 * record → deliver, follows the target's answer: `Session.completed` and the protocol's own delivery.
 *
 * A refusal is a value. It throws only when the record of something already begun is lost: the session then ends.
 */
export async function clear<Plan>(session: Session, request: Request<Plan>): Promise<Cleared<Plan>> {
  let verdict: Verdict;
  try {
    verdict = await decide(session, policyOperation(request));
  } catch (error) {
    if (error instanceof Undecided) return { cleared: false, refusal: undecided(error) };
    throw error;
  }
  const planned = verdict.decision === 'deny' ? { refusal: denied(verdict) } : await request.plan(verdict);

  let intent;
  try {
    intent = recordIntent(session, request, verdict);
  } catch (error) {
    if (error instanceof RecordUnavailable) return { cleared: false, refusal: unrecorded() };
    throw error;
  }
  if ('refusal' in planned) return { cleared: false, running: intent, refusal: planned.refusal };

  if (verdict.decision === 'hold') {
    const refusal = await hold(session, request, verdict, intent);
    if (refusal) return { cleared: false, running: intent, refusal };
  }
  if (request.effect === 'write' && !session.recorder.isDurable(session.recorder.last)) {
    await session.recorder.durable(session.recorder.last);
  }
  return { cleared: true, running: intent, verdict, plan: planned.plan };
}

/** The verdict alone, for what has no effect yet (a Parse): nothing is recorded. @throws Undecided */
export function foresee(session: Session, request: Pick<Request, 'operation' | 'parameters'>): Verdict | Promise<Verdict> {
  return decide(session, policyOperation(request));
}

function policyOperation(request: Pick<Request, 'operation' | 'parameters'>): PolicyInput['operation'] {
  return request.parameters ? { ...request.operation, parameters: request.parameters } : request.operation;
}

function denied(verdict: Verdict): Refusal {
  return {
    kind: 'policy',
    message: verdict.reasons.length > 0 ? verdict.reasons.join('; ') : 'refused by policy',
    rules: verdict.rules,
    ...(verdict.hint === undefined ? {} : { hint: verdict.hint }),
  };
}

function undecided(error: Undecided): Refusal {
  return { kind: 'undecided', message: error.message, rules: [], hint: 'nothing was run; try again, and tell the operator if it stays so' };
}

function unrecorded(): Refusal {
  return {
    kind: 'record',
    message: 'the operation can not be put on record, so it was not run',
    rules: [],
    hint: 'the log is full or failing; try again when the operator has made room',
  };
}
