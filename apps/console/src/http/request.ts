import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Principal } from '@sallyport/identity';
import type { Logger } from 'pino';

export type Log = Pick<Logger, 'error' | 'warn' | 'info'>;

/** Who asks, and with what: the token goes on to the decision service, which doesn't believe the console. */
export interface Caller {
  readonly principal: Principal;
  readonly token: string;
}

/** What Express makes of a request, as far as it is used here. */
export interface Request extends IncomingMessage {
  readonly path: string;
  readonly query: Readonly<Record<string, unknown>>;
  readonly params: Readonly<Record<string, string>>;
  readonly body: unknown;
  caller?: Caller;
}

export type Response = ServerResponse;
