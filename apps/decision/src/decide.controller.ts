import { Controller, Inject } from '@nestjs/common';
import { MessagePattern, Payload } from '@nestjs/microservices';
import type { PolicyInput, Verdict, VerdictPort } from '@sallyport/verdict';
import { answerHold, type AnswerServices, type HoldAnswer, type HoldAnswered } from './answer-hold.js';

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
  answer(@Payload() answer: HoldAnswer): Promise<HoldAnswered> {
    return answerHold(answer, this.services);
  }
}
