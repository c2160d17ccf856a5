import type { SigningKey } from '@sallyport/events';
import { openSealed, type SealBinding } from '@sallyport/trust';
import type { HoldAnswer } from './answer-hold.js';

/** An answer on the bus: `token` is sealed to the decision services, bound to everything else that stands here. */
export type SealedAnswer = HoldAnswer;

/** What the seal of an answer's token is bound to: taken out of one answer it fits into no other, not even from grant to deny. */
export function answerBinding({ hold, session, hash, answer, comment }: Omit<HoldAnswer, 'token'>): SealBinding {
  return { purpose: 'approval', hold, session, hash, answer, ...(comment === undefined ? {} : { comment }) };
}

/** Undefined when it isn't an answer, or its token doesn't open here. */
export async function openAnswer(key: SigningKey, sealed: unknown): Promise<HoldAnswer | undefined> {
  const answer = answerOf(sealed);
  if (!answer) return undefined;
  try {
    return { ...answer, token: await openSealed(key, answer.token, answerBinding(answer)) };
  } catch {
    return undefined;
  }
}

/** Whoever reaches the bus can send anything. */
function answerOf(sent: unknown): SealedAnswer | undefined {
  if (typeof sent !== 'object' || sent === null) return undefined;
  const { hold, session, hash, answer, comment, token } = sent as Record<string, unknown>;
  if (typeof hold !== 'string' || typeof session !== 'string' || typeof hash !== 'string' || typeof token !== 'string') return undefined;
  if (answer !== 'grant' && answer !== 'deny') return undefined;
  if (comment !== undefined && typeof comment !== 'string') return undefined;
  return { hold, session, hash, answer, token, ...(comment === undefined ? {} : { comment }) };
}
