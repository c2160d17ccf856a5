export { clear, foresee, type Cleared } from './pipeline.js';
export { Holds, TooManyHolds, type Hold, type HoldOutcome } from './holds.js';
export { Recorder, RecordUnavailable } from './recorder.js';
export type { Refusal } from './refusal.js';
export type { Planned, Request } from './request.js';
export { newSessionId, Session, type EndReason, type Running, type SessionLimits, type SessionServices } from './session.js';
export { RecordLate, type Audit, type AuditMode, type Durability, type Spool, type SpoolEntry } from './spool.port.js';
export { SessionStateError, transition, type SessionState, type SessionTransition } from './state.js';
export { Undecided } from './steps/decide.js';
