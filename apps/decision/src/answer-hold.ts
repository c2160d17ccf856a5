import { randomUUID } from 'node:crypto';
import { type Bus, TOPICS } from '@sallyport/bus';
import { controlEvent } from '@sallyport/events';
import type { IdentityPort } from '@sallyport/identity';
import { type Engine, mayApprove } from '@sallyport/verdict';
import type { OpenHolds } from './open-holds.js';

/** Somebody's answer to a hold. The token is theirs: who asks on their behalf isn't believed. */
export interface HoldAnswer {
  readonly hold: string;
  readonly answer: 'grant' | 'deny';
  readonly comment?: string;
  readonly token: string;
}

export type HoldAnswered =
  | { readonly ok: true; readonly hold: string; readonly by: string; readonly given: number; readonly needed: number }
  | { readonly ok: false; readonly code: 'TOKEN' | 'NO_SUCH_HOLD' | 'NOT_ALLOWED' | 'GIVEN_ALREADY'; readonly message: string };

export interface AnswerServices {
  readonly bus: Bus;
  readonly identity: IdentityPort;
  readonly engine: Engine;
  readonly revision: string;
  readonly holds: OpenHolds;
  readonly nowMs: () => number;
}

/** Longest comment that is kept, characters. */
export const COMMENT_MAX_CHARS = 1000;

/** token → principal → may it? → `approval.given` or `approval.refused` in the control stream. A no is a value. */
export async function answerHold(answer: HoldAnswer, services: AnswerServices): Promise<HoldAnswered> {
  const identified = await services.identity.identify(answer.token);
  if (!identified.ok) return { ok: false, code: 'TOKEN', message: 'the token was not accepted: sign in again' };
  const approver = identified.principal;
  if (services.holds.isRevoked(approver)) return { ok: false, code: 'TOKEN', message: 'the token was revoked: sign in again' };
  const hold = services.holds.get(answer.hold, services.nowMs());
  if (!hold)
    return {
      ok: false,
      code: 'NO_SUCH_HOLD',
      message: `no operation waits for approval under ${answer.hold}: it was decided, cancelled, or is over`,
    };

  const { requester, resource, groups, given } = hold;
  if (answer.answer === 'grant' && given.some((one) => one.subject === approver.subject && one.issuer === approver.issuer)) {
    return { ok: false, code: 'GIVEN_ALREADY', message: 'you have approved it already; a person counts once' };
  }
  const may = mayApprove(services.engine, { approver, hold: { requester, resource, groups, given } });
  if (!may.allow) return { ok: false, code: 'NOT_ALLOWED', message: may.reasons.join('; ') || 'you may not answer this' };

  const { bytes } = controlEvent(
    { id: randomUUID(), source: '/decision', subject: approver.subject },
    answer.answer === 'grant' ? 'approval.given' : 'approval.refused',
    {
      hold: hold.hold,
      hash: hold.hash,
      session: hold.session,
      by: { subject: approver.subject, issuer: approver.issuer, groups: approver.groups },
      ...(answer.comment === undefined || answer.comment === '' ? {} : { comment: answer.comment.slice(0, COMMENT_MAX_CHARS) }),
      rules: may.rules,
      revision: services.revision,
    },
    services.nowMs(),
  );
  await services.bus.produce(TOPICS.control, [{ key: hold.session, value: bytes }]);
  return {
    ok: true,
    hold: hold.hold,
    by: approver.subject,
    given: given.length + (answer.answer === 'grant' ? 1 : 0),
    needed: hold.needed,
  };
}
