export type { Envelope } from './envelope.js';
export type { ApprovalGiven, ControlEvents, RevocationApplied, ServiceAnnounced } from './control-events.js';
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
export type { ControlEvent, LeaseEvent, ParsedEvent, SessionEnvelope, SessionEvent, Written } from './typed-events.js';
export { EventError } from './event-error.js';
export type { EventErrorCode } from './event-error.js';
export { CHAIN_START, MAX_SEQUENCE, SessionStream, chainHash, checkSessionId, closingStatement, isSessionId } from './chain.js';
export type { ClosingEventType, StreamIdentity, StreamState, Take } from './chain.js';
export { controlEvent, leaseEvent } from './plain-events.js';
export type { PlainEventIdentity } from './plain-events.js';
export { isSessionEnvelope, parseEnvelope, parseEvent } from './parse.js';
export {
  formatVerifierKey,
  formatVerifierKeys,
  generateSigningKey,
  keyId,
  loadOrCreateKey,
  noteKeyHash,
  parseVerifierKey,
  parseVerifierKeys,
  signingKeyFromPem,
  verifierKey,
} from './keys.js';
export type { SigningKey, VerifierKey } from './keys.js';
export { JOINER_LIMITS, Joiner, split } from './chunks.js';
export type { Chunk, Joined, JoinerLimits } from './chunks.js';
export { eventSchemas } from './schemas/index.js';
export type { EventStream, KnownEventType } from './schemas/index.js';
