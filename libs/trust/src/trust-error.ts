export type TrustErrorCode =
  /** The list of enrolled keys can't be read, or a line of it is no key. */
  | 'TRUST_ROSTER'
  /** This service's own key is not on the list. */
  | 'TRUST_NOT_ENROLLED'
  /** Nobody can open what should be sealed: no service of that role has announced a key. */
  | 'TRUST_NO_RECIPIENT'
  /** What was sealed doesn't open here: another key, altered, or sealed for something else. */
  | 'TRUST_SEAL_REFUSED'
  /** The beginning of a stream that must be heard from its beginning is gone. */
  | 'TRUST_LOG_CUT';

/** What is broken between services. The message never holds a secret. */
export class TrustError extends Error {
  override readonly name = 'TrustError';

  constructor(
    readonly code: TrustErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
