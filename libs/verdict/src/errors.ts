export type VerdictErrorCode = 'POLICY_INPUT_INVALID' | 'POLICY_PATH_INVALID' | 'POLICY_RESULT_INVALID' | 'POLICY_MANIFEST_INVALID';

/** The policy, or what it was given, is broken. Never carries a value of the input. */
export class VerdictError extends Error {
  override readonly name = 'VerdictError';

  constructor(
    readonly code: VerdictErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
