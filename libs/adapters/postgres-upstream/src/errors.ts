import type { ErrorFields } from '@sallyport/wire-postgres';

/**
 * - `UPSTREAM_UNREACHABLE`: no connection, or it broke during sign-in.
 * - `UPSTREAM_TLS`: no TLS, or not with the certificate that was asked for.
 * - `UPSTREAM_AUTH`: the target didn't take the credential, didn't prove that it knows it, or asks for it in a way that would give it away.
 * - `UPSTREAM_REFUSED`: the target answered with an error of another kind; see `sqlstate`.
 * - `UPSTREAM_TIMEOUT`, `UPSTREAM_ABORTED`: the time was up, or the caller's signal fired.
 * - `UPSTREAM_PROTOCOL`: the target doesn't speak the protocol, or goes over a limit.
 */
export type UpstreamErrorCode =
  | 'UPSTREAM_UNREACHABLE'
  | 'UPSTREAM_TLS'
  | 'UPSTREAM_AUTH'
  | 'UPSTREAM_REFUSED'
  | 'UPSTREAM_TIMEOUT'
  | 'UPSTREAM_ABORTED'
  | 'UPSTREAM_PROTOCOL';

/** Never holds a credential (P3). */
export class UpstreamError extends Error {
  readonly code: UpstreamErrorCode;
  /** The target's own, where it answered with an error. */
  readonly sqlstate: string | undefined;
  readonly fields: ErrorFields | undefined;

  constructor(code: UpstreamErrorCode, message: string, options: { readonly cause?: unknown; readonly fields?: ErrorFields } = {}) {
    super(message, 'cause' in options ? { cause: options.cause } : undefined);
    this.name = 'UpstreamError';
    this.code = code;
    this.fields = options.fields;
    this.sqlstate = options.fields?.code;
  }
}

/** SQLSTATE class 28: invalid authorization specification. */
const AUTHORIZATION_CLASS = '28';

export function refusedBy(fields: ErrorFields): UpstreamError {
  const code = fields.code?.startsWith(AUTHORIZATION_CLASS) ? 'UPSTREAM_AUTH' : 'UPSTREAM_REFUSED';
  return new UpstreamError(code, `the target refused the connection: ${fields.message ?? 'no reason given'} (${fields.code ?? '?'})`, {
    fields,
  });
}
