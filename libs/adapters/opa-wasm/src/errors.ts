export type PolicyEngineErrorCode =
  | 'POLICY_BUNDLE_UNREADABLE'
  | 'POLICY_BUNDLE_DIGEST'
  | 'POLICY_BUILTIN_MISSING'
  | 'POLICY_ENTRYPOINT_MISSING'
  | 'POLICY_DATA_TOO_LARGE'
  | 'POLICY_INPUT_TOO_LARGE'
  | 'POLICY_ENGINE_FAILED';

/** The bundle can't be loaded, or the module failed. The message never quotes input or data. */
export class PolicyEngineError extends Error {
  override readonly name = 'PolicyEngineError';

  constructor(
    readonly code: PolicyEngineErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
