export { COMMENT_MAX_CHARS, type HoldAnswer, type HoldAnswered } from './answer-hold.js';
export { answerBinding, type SealedAnswer } from './sealed-answer.js';
export { createDecision, type DecisionOptions } from './create-decision.js';
