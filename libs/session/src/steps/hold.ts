import type { Verdict } from '@sallyport/verdict';
import { TooManyHolds } from '../holds.js';
import { RecordUnavailable } from '../recorder.js';
import { cancelled, type Refusal, unrecorded } from '../refusal.js';
import type { Request } from '../request.js';
import type { Session } from '../session.js';
import type { Intent } from './record-intent.js';

/** Waits for people. Undefined when enough of them agreed; the session then ends with the approval's window at the latest. */
export async function hold(session: Session, request: Request, verdict: Verdict, intent: Intent): Promise<Refusal | undefined> {
  const approval = verdict.approval;
  if (!approval)
    return refused(verdict, 'the policy asks for approval but names nobody who may give it', 'tell the people who keep the policy');
  const { holds, nowMs } = session.services;
  let opened;
  try {
    opened = holds.open({
      hash: intent.hash,
      session: session.id,
      requester: session.principal.subject,
      needed: approval.count,
      windowMs: approval.windowMs,
    });
  } catch (error) {
    if (error instanceof TooManyHolds) return refused(verdict, error.message, 'wait until some of them are decided');
    throw error;
  }
  // Waiting starts before the request is on record, so that no answer can come too early to be heard.
  const waiting = new AbortController();
  const outcome = holds.wait(opened, AbortSignal.any([request.signal, waiting.signal]));
  const asked = written(() =>
    session.recorder.write('approval.requested', {
      hold: opened.id,
      operation: intent.operation,
      hash: intent.hash,
      resource: session.resource,
      text: intent.shown,
      class: request.operation.class,
      requester: session.principalFacts,
      rules: verdict.rules,
      revision: verdict.revision,
      groups: approval.groups,
      needed: approval.count,
      windowMs: approval.windowMs,
      expires: new Date(opened.expiresAtMs).toISOString(),
    }),
  );
  if (!asked) {
    waiting.abort();
    return unrecorded();
  }
  const answer = await outcome;
  const windowEndsMs = answer.outcome === 'granted' ? answer.windowEndsMs : undefined;
  const applied = written(() =>
    session.recorder.write('approval.applied', {
      hold: opened.id,
      operation: intent.operation,
      outcome: answer.outcome,
      by: answer.by.map(({ by, comment }) => ({ subject: by.subject, issuer: by.issuer, ...(comment === undefined ? {} : { comment }) })),
      ...(windowEndsMs === undefined ? {} : { windowEnds: new Date(windowEndsMs).toISOString() }),
    }),
  );
  if (!applied) return unrecorded();
  if (answer.outcome === 'granted') {
    session.endAtTheLatest(answer.windowEndsMs);
    return nowMs() < answer.windowEndsMs ? undefined : refused(verdict, 'the approval window is over', 'ask again');
  }
  if (answer.outcome === 'cancelled') return cancelled();
  const why =
    answer.outcome === 'denied'
      ? `approval was denied by ${answer.by.map(({ by }) => by.subject).join(', ')}`
      : 'nobody approved it in time';
  return refused(verdict, why, `ask ${approval.groups.join(' or ')} and try again`);
}

/** False when the log can't take it (S7). */
function written(write: () => unknown): boolean {
  try {
    write();
    return true;
  } catch (error) {
    if (error instanceof RecordUnavailable) return false;
    throw error;
  }
}

function refused(verdict: Verdict, message: string, hint: string): Refusal {
  return { kind: 'hold', message, rules: verdict.rules, hint };
}
