import type { BusClient } from '@sallyport/adapter-nest-bus';
import type { AnswerHold } from '@sallyport/console';
import { answerBinding } from '@sallyport/decision';
import { type AnnouncedServices, sealTo } from '@sallyport/trust';

/** Brings an answer to the decision services over the bus. The approver's token is sealed to them: nobody else on the bus reads it. */
export function busAnswers(client: Pick<BusClient, 'request'>, announced: Pick<AnnouncedServices, 'sealKeys'>): AnswerHold {
  return async ({ token, ...answer }) => {
    const sealed = await sealTo(announced.sealKeys('decision'), token, answerBinding(answer));
    return client.request('approval.answer', { ...answer, token: sealed });
  };
}
