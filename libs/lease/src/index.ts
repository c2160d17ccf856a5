export { type LeaseBook, leaseBook, SESSIONS_OVER_MAX } from './book.js';
export { LeaseError, type LeaseErrorCode } from './errors.js';
export type { Lease, LeaseGrant, LeaseRequest, PostgresSecret } from './lease.js';
export type { LeasePort } from './lease.port.js';
export { checkLeaseDrop, checkLeaseRequest, LEASE_REQUEST_LIMITS, type LeaseDrop } from './request.js';
export { checkSessionKey, seal, SEALED_MAX_CHARS, type SealBinding, type SessionKeyPair, sessionKeyPair } from './seal.js';
export type { LeaseSource, SweepResult } from './source.port.js';
export {
  leaseVendor,
  type LeaseRecord,
  type SweepCount,
  type Vendor,
  VENDOR_LIMITS,
  type VendorLimits,
  type VendorOptions,
} from './vendor.js';
