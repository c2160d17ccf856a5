import { type DynamicModule, Module } from '@nestjs/common';
import type { VerdictPort } from '@sallyport/verdict';
import type { AnswerServices } from './answer-hold.js';
import { ANSWERS, DecideController, VERDICTS } from './decide.controller.js';

/** Binds the ports: which policy judges, and what an answer to a hold needs. */
@Module({})
export class DecisionModule {
  static of(verdicts: VerdictPort, answers: AnswerServices): DynamicModule {
    return {
      module: DecisionModule,
      controllers: [DecideController],
      providers: [
        { provide: VERDICTS, useValue: verdicts },
        { provide: ANSWERS, useValue: answers },
      ],
    };
  }
}
