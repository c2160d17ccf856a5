export type { Lease, LeaseGrant, LeaseRequest, PostgresSecret } from './lease.js';
export type { LeasePort } from './lease.port.js';
