export type PolicyStoreErrorCode =
  /** Larger than a record may be. */
  | 'POLICY_TOO_LARGE'
  /** A number, revision or comment that no policy can be published with. */
  | 'POLICY_UNPUBLISHABLE';

/** What can't be published. The message never quotes policy or grants. */
export class PolicyStoreError extends Error {
  override readonly name = 'PolicyStoreError';

  constructor(
    readonly code: PolicyStoreErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
