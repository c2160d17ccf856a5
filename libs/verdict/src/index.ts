export type { ApprovalRequirement, MaskRule, MaskWay, Rule, Verdict } from './verdict.js';
export type { ConnectOperation, PolicyInput, PrincipalFacts, ResourceFacts, SessionFacts } from './policy-input.js';
export type { VerdictPort } from './verdict.port.js';
