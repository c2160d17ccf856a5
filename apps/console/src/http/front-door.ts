import type { ConsoleLimits } from '../limits.js';
import { sendProblem } from './problem.js';
import type { Request, Response } from './request.js';

export interface FrontDoorOptions {
  readonly host: string;
  /** Known once it listens. */
  readonly port: () => number;
  readonly tls: boolean;
  readonly notReady: () => string | undefined;
  readonly limits: Pick<ConsoleLimits, 'requestTimeoutMs'>;
}

const HEADERS: Readonly<Record<string, string>> = {
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
};

/**
 * Before anything else is looked at: security headers, no page of another origin (there is no CORS), no other host name for a
 * loopback listener (DNS rebinding), and an end to how long an answer may take.
 */
export function frontDoor(options: FrontDoorOptions): (request: Request, response: Response, next: () => void) => void {
  return (request, response, next) => {
    for (const [name, value] of Object.entries(HEADERS)) response.setHeader(name, value);
    if (options.tls) response.setHeader('strict-transport-security', 'max-age=31536000');
    const host = request.headers.host?.toLowerCase() ?? '';
    if (!isOurs(host, options)) return sendProblem(response, 'MISDIRECTED', 'this host name is not one of the console');
    const origin = request.headers.origin;
    if (origin !== undefined && origin.toLowerCase() !== `${options.tls ? 'https' : 'http'}://${host}`)
      return sendProblem(response, 'FORBIDDEN', 'a page of another origin may not use the console');
    const unready = options.notReady();
    if (unready !== undefined) return sendProblem(response, 'NOT_READY', unready);
    const timer = setTimeout(() => {
      if (!response.headersSent) sendProblem(response, 'TIMEOUT', `there was no answer within ${options.limits.requestTimeoutMs} ms`);
    }, options.limits.requestTimeoutMs);
    response.once('close', () => clearTimeout(timer));
    next();
  };
}

function isOurs(host: string, { host: bound, port }: FrontDoorOptions): boolean {
  if (!isLoopback(bound)) return host !== '';
  return [bound.includes(':') ? `[${bound}]` : bound, 'localhost', '127.0.0.1', '[::1]'].some((name) => host === `${name}:${port()}`);
}

export function isLoopback(address: string | undefined): boolean {
  return address !== undefined && (/^(::ffff:)?127\./.test(address) || address === '::1' || address === 'localhost');
}
