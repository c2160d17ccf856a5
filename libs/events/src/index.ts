export type { Envelope } from './envelope.js';
export type { ApprovalGiven, ControlEvents } from './control-events.js';
export type { LeaseEvents } from './lease-events.js';
export type {
  ApprovalApplied,
  ApprovalRequested,
  OperationCompleted,
  OperationSubmitted,
  OutputRecorded,
  SecretObserved,
  SessionAborted,
  SessionClosed,
  SessionEvents,
  SessionEventType,
  SessionOpened,
} from './session-events.js';
