export { type LeaseBook, leaseBook, SESSIONS_LEASED_MAX, SESSIONS_OVER_MAX } from './book.js';
export type { LeaseRecord } from './ends.js';
export { LeaseError, type LeaseErrorCode } from './errors.js';
export { type ConnectAnswer, type ConnectQuestion, type JudgeOptions, type LeaseJudge, leaseJudge } from './judge.js';
export { LANE_LIMITS, type LaneLimits, type Lanes, lanes } from './lanes.js';
export {
  type Lease,
  type LeaseGrant,
  type LeaseOrder,
  type LeaseRequest,
  type PostgresSecret,
  type SealedLeaseRequest,
  tokenBinding,
} from './lease.js';
export type { LeasePort } from './lease.port.js';
export { checkLeaseDrop, checkLeaseRequest, LEASE_REQUEST_LIMITS, type LeaseDrop } from './request.js';
export { checkSessionKey, seal, SEALED_MAX_CHARS, type SealBinding, type SessionKeyPair, sessionKeyPair } from './seal.js';
export type { LeaseSource, SweepResult } from './source.port.js';
export type { SweepCount } from './sweep.js';
export { leaseVendor, type Vendor, VENDOR_LIMITS, type VendorLimits, type VendorOptions } from './vendor.js';
