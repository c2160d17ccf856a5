import { createHash } from 'node:crypto';
import type { Bus } from '@sallyport/bus';
import type { SigningKey } from '@sallyport/events';
import type { IdentityPort } from '@sallyport/identity';
import { writeControl } from '@sallyport/trust';
import { type Engine, mayApprove } from '@sallyport/verdict';
import type { OpenHolds } from './open-holds.js';

/** Somebody's answer to a hold. The token is theirs: who asks on their behalf isn't believed. */
export interface HoldAnswer {
  readonly hold: string;
  /** Session and operation hash of what they saw: an answer to anything else is none. */
  readonly session: string;
  readonly hash: string;
  readonly answer: 'grant' | 'deny';
  readonly comment?: string;
  readonly token: string;
}

export type HoldAnswered =
  | { readonly ok: true; readonly hold: string; readonly by: string; readonly given: number; readonly needed: number }
  | { readonly ok: false; readonly code: 'TOKEN' | 'NO_SUCH_HOLD' | 'NOT_ALLOWED' | 'GIVEN_ALREADY'; readonly message: string };

export interface AnswerServices {
  readonly bus: Pick<Bus, 'produce'>;
  /** `decision/NAME`: signs approvals, and opens what is sealed to the decision services. */
  readonly key: SigningKey;
  readonly identity: IdentityPort;
  readonly engine: Engine;
  readonly revision: string;
  readonly holds: OpenHolds;
  readonly nowMs: () => number;
}

/** Longest comment that is kept, characters. */
export const COMMENT_MAX_CHARS = 1000;

/**
 * token → principal → may it? → `approval.given` or `approval.refused` in the control stream. A no is a value. An answer that comes
 * again (a request is delivered at least once) is not written again; should it be, over a crash or by another decision service, it has
 * the same id and person, and counts once.
 */
export async function answerHold(answer: HoldAnswer, services: AnswerServices): Promise<HoldAnswered> {
  const identified = await services.identity.identify(answer.token);
  if (!identified.ok) return { ok: false, code: 'TOKEN', message: 'the token was not accepted: sign in again' };
  const approver = identified.principal;
  if (services.holds.isRevoked(approver)) return { ok: false, code: 'TOKEN', message: 'the token was revoked: sign in again' };
  const hold = services.holds.get(answer.hold);
  if (!hold || hold.session !== answer.session || hold.hash !== answer.hash)
    return {
      ok: false,
      code: 'NO_SUCH_HOLD',
      message: `no operation waits for approval under ${answer.hold}: it was decided, cancelled, or is over`,
    };

  const { requester, resource, groups, given } = hold;
  if (answer.answer === 'grant' && given.some((one) => one.subject === approver.subject && one.issuer === approver.issuer)) {
    return GIVEN_ALREADY;
  }
  const may = mayApprove(services.engine, { approver, hold: { requester, resource, groups, given } });
  if (!may.allow) return { ok: false, code: 'NOT_ALLOWED', message: may.reasons.join('; ') || 'you may not answer this' };

  const { subject, issuer } = approver;
  const type = answer.answer === 'grant' ? 'approval.given' : 'approval.refused';
  const id = answerId(hold.hold, type, { subject, issuer });
  if (!services.holds.begin(hold.hold, id)) return GIVEN_ALREADY;
  try {
    await writeControl(services.bus, services.key, { id, subject, key: hold.session, timeMs: services.nowMs() }, type, {
      hold: hold.hold,
      hash: hold.hash,
      session: hold.session,
      by: { subject, issuer, groups: approver.groups },
      ...(answer.comment === undefined || answer.comment === '' ? {} : { comment: answer.comment.slice(0, COMMENT_MAX_CHARS) }),
      rules: may.rules,
      revision: services.revision,
    });
  } catch (error) {
    services.holds.undo(hold.hold, id);
    throw error;
  }
  return {
    ok: true,
    hold: hold.hold,
    by: subject,
    given: given.length + (answer.answer === 'grant' ? 1 : 0),
    needed: hold.needed,
  };
}

const GIVEN_ALREADY = { ok: false, code: 'GIVEN_ALREADY', message: 'you have answered it already; a person counts once' } as const;

/** One answer of one person to one hold has one id, however often it is given. */
function answerId(hold: string, type: string, { subject, issuer }: { readonly subject: string; readonly issuer: string }): string {
  return createHash('sha256')
    .update(JSON.stringify([hold, type, issuer, subject]))
    .digest('hex')
    .slice(0, 32);
}
