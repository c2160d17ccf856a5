export type OidcErrorCode =
  | 'OIDC_URL'
  | 'OIDC_ALGORITHM'
  | 'OIDC_DUPLICATE_ISSUER'
  | 'OIDC_FETCH'
  | 'OIDC_RESPONSE_TOO_LARGE'
  | 'OIDC_DISCOVERY'
  | 'OIDC_KEYS'
  | 'OIDC_CLOSED';

/** What is broken at an issuer or in a provider's settings. Never holds any part of a token. */
export class OidcError extends Error {
  override readonly name = 'OidcError';
  constructor(
    readonly code: OidcErrorCode,
    message: string,
    options?: { cause?: unknown },
  ) {
    super(message, options);
  }
}
