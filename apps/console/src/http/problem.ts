import { type ArgumentsHost, Catch, type ExceptionFilter, HttpException } from '@nestjs/common';
import type { Log, Request, Response } from './request.js';

/** What goes wrong for a caller. Answered as RFC 9457 `application/problem+json` with this code as its type. */
export type ProblemCode =
  | 'UNAUTHENTICATED'
  | 'FORBIDDEN'
  | 'NOT_FOUND'
  | 'METHOD_NOT_ALLOWED'
  | 'BAD_REQUEST'
  | 'BODY_TOO_LARGE'
  | 'CONFLICT'
  | 'NOT_COVERED_YET'
  | 'TOO_LARGE'
  | 'BUSY'
  | 'MISDIRECTED'
  | 'TIMEOUT'
  | 'NOT_READY'
  | 'INTERNAL';

const STATUS: Readonly<Record<ProblemCode, number>> = {
  UNAUTHENTICATED: 401,
  FORBIDDEN: 403,
  NOT_FOUND: 404,
  METHOD_NOT_ALLOWED: 405,
  BAD_REQUEST: 400,
  BODY_TOO_LARGE: 413,
  CONFLICT: 409,
  NOT_COVERED_YET: 409,
  TOO_LARGE: 413,
  BUSY: 429,
  MISDIRECTED: 421,
  TIMEOUT: 503,
  NOT_READY: 503,
  INTERNAL: 500,
};

const TITLE: Readonly<Record<ProblemCode, string>> = {
  UNAUTHENTICATED: 'Sign in',
  FORBIDDEN: 'Not allowed',
  NOT_FOUND: 'Not here',
  METHOD_NOT_ALLOWED: 'Not with this method',
  BAD_REQUEST: 'Not understood',
  BODY_TOO_LARGE: 'The body is too large',
  CONFLICT: 'Decided already',
  NOT_COVERED_YET: 'Not signed yet',
  TOO_LARGE: 'Too large',
  BUSY: 'Too many at once',
  MISDIRECTED: 'Not for this server',
  TIMEOUT: 'It took too long',
  NOT_READY: 'Not ready',
  INTERNAL: 'A fault of the console',
};

/** A no that the caller is told about; `detail` is one sentence and holds no secret. */
export class ProblemError extends Error {
  override readonly name = 'ProblemError';

  constructor(
    readonly code: ProblemCode,
    readonly detail: string,
    options?: ErrorOptions,
  ) {
    super(detail, options);
  }
}

export function sendProblem(response: Response, code: ProblemCode, detail: string): void {
  if (response.headersSent || response.writableEnded) {
    response.destroy();
    return;
  }
  const status = STATUS[code];
  response.statusCode = status;
  response.setHeader('content-type', 'application/problem+json');
  if (code === 'UNAUTHENTICATED') response.setHeader('www-authenticate', 'Bearer realm="sallyport"');
  if (code === 'BUSY' || code === 'NOT_COVERED_YET' || code === 'NOT_READY') response.setHeader('retry-after', '1');
  const type = `urn:sallyport:problem:${code.toLowerCase().replaceAll('_', '-')}`;
  response.end(`${JSON.stringify({ type, title: TITLE[code], status, detail, code })}\n`);
}

/** Every error becomes a problem here. What is not meant for the caller is logged and told as `INTERNAL`. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  constructor(private readonly log: Log) {}

  catch(error: unknown, host: ArgumentsHost): void {
    const request = host.switchToHttp().getRequest<Request>();
    const { code, detail } = toProblem(error, request);
    if (code === 'INTERNAL')
      this.log.error({ err: error, method: request.method, path: request.path }, 'a request failed by a fault of the console');
    sendProblem(host.switchToHttp().getResponse<Response>(), code, detail);
  }
}

function toProblem(error: unknown, request: Request): { readonly code: ProblemCode; readonly detail: string } {
  if (error instanceof ProblemError) return error;
  switch ((error as { code?: unknown } | null)?.code) {
    case 'STORE_CURSOR':
      return { code: 'BAD_REQUEST', detail: 'cursor: expected what was `next` of the page before' };
    case 'STORE_VALUE':
      return { code: 'BAD_REQUEST', detail: 'a filter has a value that can not be one' };
    case 'STORE_UNREACHABLE':
      return { code: 'NOT_READY', detail: 'the read models are not available right now: try again in a moment' };
    case 'TRUST_NO_RECIPIENT':
      return { code: 'NOT_READY', detail: 'no decision service is there that could take the answer: try again in a moment' };
    default:
  }
  const status = error instanceof HttpException ? error.getStatus() : (error as { status?: unknown } | null)?.status;
  switch (status) {
    case 404:
      return { code: 'NOT_FOUND', detail: `there is no ${request.method} ${request.path}` };
    case 413:
      return { code: 'BODY_TOO_LARGE', detail: 'the body is larger than the console reads' };
    case 400:
    case 415:
      return { code: 'BAD_REQUEST', detail: 'the body is not JSON in UTF-8' };
    default:
      return { code: 'INTERNAL', detail: 'it is logged; try again' };
  }
}
