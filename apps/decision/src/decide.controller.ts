import { Controller, Inject } from '@nestjs/common';
import { MessagePattern, Payload } from '@nestjs/microservices';
import type { PolicyInput, Verdict, VerdictPort } from '@sallyport/verdict';
import { answerHold, type AnswerServices, type HoldAnswered } from './answer-hold.js';
import { openAnswer } from './sealed-answer.js';

export const VERDICTS = Symbol('VERDICTS');
export const ANSWERS = Symbol('ANSWERS');

@Controller()
export class DecideController {
  constructor(
    @Inject(VERDICTS) private readonly verdicts: VerdictPort,
    @Inject(ANSWERS) private readonly services: AnswerServices,
  ) {}

  @MessagePattern('decide')
  decide(@Payload() input: PolicyInput): Verdict | Promise<Verdict> {
    return this.verdicts.decide(input);
  }

  @MessagePattern('approval.answer')
  async answer(@Payload() sealed: unknown): Promise<HoldAnswered> {
    const answer = await openAnswer(this.services.key, sealed);
    if (!answer) return { ok: false, code: 'TOKEN', message: 'the token did not arrive as it was sent: try again' };
    return answerHold(answer, this.services);
  }
}
