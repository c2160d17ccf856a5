import type { PolicyInput, Verdict } from '@sallyport/verdict';
import { RecordUnavailable } from './recorder.js';
import { cancelled, type Refusal, unrecorded } from './refusal.js';
import type { Request } from './request.js';
import type { Running, Session } from './session.js';
import { RecordLate } from './spool.port.js';
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
    const refusal = (await hold(session, request, verdict, intent)) ?? (await changed(session, request, verdict));
    if (refusal) return { cleared: false, running: intent, refusal };
  }
  if (request.effect === 'write' && !session.recorder.isDurable(session.recorder.last)) {
    const refusal = await durable(session, request.signal);
    if (refusal) return { cleared: false, running: intent, refusal };
  }
  return { cleared: true, running: intent, verdict, plan: planned.plan };
}

/** Waits until all that was said is as durable as it has to be. Undefined when it is. */
async function durable({ recorder }: Session, signal: AbortSignal): Promise<Refusal | undefined> {
  try {
    return (await unlessAborted(recorder.durable(recorder.last), signal)) ? undefined : cancelled();
  } catch (error) {
    if (error instanceof RecordLate) return unrecorded();
    throw error;
  }
}

/** People were asked while time went on: the policy that asked them must still be the one that rules (S4). */
async function changed(session: Session, request: Request, verdict: Verdict): Promise<Refusal | undefined> {
  try {
    const now = await decide(session, policyOperation(request));
    if (now.decision === 'deny') return denied(now);
    if (now.revision === verdict.revision) return undefined;
    return { kind: 'hold', message: 'the policy changed while the approval was waited for', rules: verdict.rules, hint: 'ask again' };
  } catch (error) {
    if (error instanceof Undecided) return undecided(error);
    throw error;
  }
}

/** False when the signal came first. */
function unlessAborted(work: Promise<void>, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const aborted = (): void => resolve(false);
    if (signal.aborted) aborted();
    signal.addEventListener('abort', aborted, { once: true });
    work.then(() => resolve(true), reject).finally(() => signal.removeEventListener('abort', aborted));
  });
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
