export { COMMENT_MAX_CHARS, type HoldAnswer, type HoldAnswered } from './answer-hold.js';
export { createDecision, type DecisionOptions } from './create-decision.js';
