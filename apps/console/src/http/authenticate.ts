import { createHash, timingSafeEqual } from 'node:crypto';
import { type CanActivate, createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { IdentityPort, Principal } from '@sallyport/identity';
import { isLoopback } from './front-door.js';
import { ProblemError } from './problem.js';
import type { Caller, Request } from './request.js';

/** Who holds the operator token of this machine: reads and revokes, and never approves (policies/sallyport/roles.rego). */
export const LOCAL_OPERATOR: Principal = {
  subject: 'operator',
  issuer: 'local',
  provider: 'local',
  kind: 'person',
  groups: [],
  actors: [],
  expiresAtMs: Number.MAX_SAFE_INTEGER,
};

/** `Authorization: Bearer` (RFC 6750 section 2.1): a token of an identity provider, or the local operator's secret from this machine. */
export class AuthenticateGuard implements CanActivate {
  constructor(
    private readonly identity: IdentityPort,
    private readonly localToken: string | undefined,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = context.switchToHttp().getRequest<Request>();
    const token = /^bearer +([\x21-\x7e]+) *$/i.exec(request.headers.authorization ?? '')?.[1];
    if (token === undefined)
      throw new ProblemError('UNAUTHENTICATED', 'send a token: Authorization: Bearer TOKEN (sallyport login gets one)');
    if (this.localToken !== undefined && isLoopback(request.socket.remoteAddress) && sameSecret(token, this.localToken)) {
      request.caller = { principal: LOCAL_OPERATOR, token };
      return true;
    }
    const identified = await this.identity.identify(token);
    if (!identified.ok) throw new ProblemError('UNAUTHENTICATED', 'the token was not accepted: get a fresh one with sallyport login');
    request.caller = { principal: identified.principal, token };
    return true;
  }
}

/** In the same time for every wrong guess, whatever its length. */
function sameSecret(one: string, other: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(one), digest(other));
}

/** The caller of a request that has passed {@link AuthenticateGuard}. */
export const CallerOf = createParamDecorator((_: unknown, context: ExecutionContext): Caller => {
  const { caller } = context.switchToHttp().getRequest<Request>();
  if (!caller) throw new ProblemError('UNAUTHENTICATED', 'nobody has signed in');
  return caller;
});
