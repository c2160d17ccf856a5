export type EmbeddedPostgresErrorCode =
  /** No binaries for this platform, or they can't be read or copied. */
  | 'EMBEDDED_POSTGRES_BINARIES'
  /** The data directory is unusable: not empty, of another major version, or out of reach. */
  | 'EMBEDDED_POSTGRES_DATA_DIR'
  /** A living process uses the data directory. */
  | 'EMBEDDED_POSTGRES_IN_USE'
  /** No port could be had. */
  | 'EMBEDDED_POSTGRES_PORT'
  /** initdb or the server failed; the message ends with its last words. */
  | 'EMBEDDED_POSTGRES_START'
  /** An option that can't be used. */
  | 'EMBEDDED_POSTGRES_OPTION';

/** What went wrong with the embedded server. Messages never hold a password. */
export class EmbeddedPostgresError extends Error {
  override readonly name = 'EmbeddedPostgresError';

  constructor(
    readonly code: EmbeddedPostgresErrorCode,
    message: string,
    options?: { cause?: unknown },
  ) {
    super(message, options);
  }
}
