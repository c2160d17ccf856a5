export type LeaseErrorCode =
  /** The sealed secret can't be opened: another key, altered, or sealed for another session or lease. */
  | 'LEASE_SEAL_REFUSED'
  /** The public key that came with the request isn't an EC P-256 one. */
  | 'LEASE_KEY_INVALID'
  /** Nobody vends for this resource. */
  | 'LEASE_RESOURCE_UNKNOWN'
  /** The verdict named a profile that the resource doesn't have. */
  | 'LEASE_PROFILE_UNKNOWN'
  /** The request makes no sense: a field is missing, too long, or in the past. */
  | 'LEASE_REQUEST_INVALID'
  /** As many leases are live as the limit allows. */
  | 'LEASE_LIMIT'
  /** The session is over already. */
  | 'LEASE_SESSION_OVER'
  /** The agent's token does not open here, is not accepted, was revoked, or is somebody else's. */
  | 'LEASE_TOKEN'
  /** Policy, asked by the vendor itself, does not allow the session, or names other profiles than the request. */
  | 'LEASE_VERDICT'
  /** The session has had its one lease. */
  | 'LEASE_SESSION_LEASED'
  /** Who asks is not the edge that holds the lease, or is no edge. */
  | 'LEASE_NOT_HOLDER'
  /** The target refused, or can't be reached. */
  | 'LEASE_TARGET'
  /** The lease's record could not be made durable. */
  | 'LEASE_RECORD'
  /** The configuration of a source is wrong. */
  | 'LEASE_CONFIG';

/** What went wrong with a lease. Messages hold neither secret, token nor address. */
export class LeaseError extends Error {
  override readonly name = 'LeaseError';

  constructor(
    readonly code: LeaseErrorCode,
    message: string,
    options?: { cause?: unknown },
  ) {
    super(message, options);
  }
}
