export { LeaseError, type LeaseErrorCode } from './errors.js';
export type { Lease, LeaseGrant, LeaseRequest, PostgresSecret } from './lease.js';
export type { LeasePort } from './lease.port.js';
export type { LeaseSource, SweepResult } from './source.port.js';
export { seal, SEALED_MAX_CHARS, type SealBinding, type SessionKeyPair, sessionKeyPair } from './seal.js';
