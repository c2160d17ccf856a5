import type { PolicyInput, Verdict } from '@sallyport/verdict';
import type { Session } from '../session.js';

/** Policy gave no answer: the operation is refused (P2). */
export class Undecided extends Error {
  readonly code = 'UNDECIDED';
}

/** Asks policy. Answers without a promise when the verdict is at hand. @throws Undecided */
export function decide(session: Session, operation: PolicyInput['operation']): Verdict | Promise<Verdict> {
  let answer: Verdict | Promise<Verdict>;
  try {
    answer = session.services.verdicts.decide(session.policyInput(operation));
  } catch (cause) {
    throw new Undecided('policy could not judge', { cause });
  }
  return answer instanceof Promise ? withinTime(answer, session.services.limits.decisionTimeoutMs) : answer;
}

async function withinTime(answer: Promise<Verdict>, timeoutMs: number): Promise<Verdict> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Undecided(`policy did not answer within ${timeoutMs} ms`)), timeoutMs);
  });
  try {
    return await Promise.race([answer, late]);
  } catch (cause) {
    throw cause instanceof Undecided ? cause : new Undecided('policy could not judge', { cause });
  } finally {
    clearTimeout(timer);
  }
}
