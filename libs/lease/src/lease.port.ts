import type { LeaseGrant, LeaseRequest } from './lease.js';

/** The vendor, seen from the edge. Rejects with a coded error when no credential can be had; the session then fails. */
export interface LeasePort {
  obtain(request: LeaseRequest, signal?: AbortSignal): Promise<LeaseGrant>;
  /** Drops the credential at the target: ends its connections, reassigns what it owns. Idempotent. */
  drop(leaseId: string, resource: string): Promise<void>;
}
