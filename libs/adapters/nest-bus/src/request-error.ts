export type RequestErrorCode =
  | 'BUS_REQUEST_TIMEOUT'
  | 'BUS_TOO_MANY_REQUESTS'
  | 'BUS_CLOSED'
  /** The payload isn't JSON, or can't be made to be. */
  | 'BUS_PAYLOAD_MALFORMED'
  /** The payload alone is larger than a record may be. */
  | 'BUS_PAYLOAD_TOO_LARGE'
  /** The role of who asks may not ask this service for it. */
  | 'BUS_NOT_ALLOWED'
  /** The service has no handler for the pattern. */
  | 'BUS_NO_HANDLER'
  /** The handler threw something that has no code of its own. */
  | 'BUS_HANDLER_FAILED';

/** Why a request has no answer. `code` is one of ours, or the one that the handler's RpcException carried. */
export class RequestError extends Error {
  override readonly name = 'RequestError';

  constructor(
    readonly code: RequestErrorCode | (string & {}),
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

export interface WireError {
  readonly code: string;
  readonly message: string;
}

/** What Nest hands a transporter for a failed handler (an RpcException's object, or `{ status, message }`) as code and message. */
export function toWireError(error: unknown): WireError {
  if (typeof error === 'string') return { code: 'BUS_HANDLER_FAILED', message: error };
  const { code, message } = (error ?? {}) as { code?: unknown; message?: unknown };
  return {
    code: typeof code === 'string' ? code : 'BUS_HANDLER_FAILED',
    message: typeof message === 'string' ? message : 'Internal server error',
  };
}
