export type PolicyStoreErrorCode =
  /** Larger than a record may be. */
  | 'POLICY_TOO_LARGE'
  /** A number, revision or comment that no policy can be published with. */
  | 'POLICY_UNPUBLISHABLE'
  /** The topic has lost its beginning. */
  | 'POLICY_LOG_CUT';

/** What can't be published, or read. The message never quotes policy or grants. */
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
