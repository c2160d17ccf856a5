export type DevIssuerErrorCode = 'DEV_ISSUER_NOT_LOOPBACK' | 'DEV_ISSUER_PRINCIPALS' | 'DEV_ISSUER_PORT' | 'DEV_ISSUER_TOKEN';

export class DevIssuerError extends Error {
  override readonly name = 'DevIssuerError';
  constructor(
    readonly code: DevIssuerErrorCode,
    message: string,
    options?: { cause?: unknown },
  ) {
    super(message, options);
  }
}
