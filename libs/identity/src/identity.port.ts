import type { Principal } from './principal.js';

/** Why a token was not accepted. The code goes to metrics and logs; the agent only learns that it failed. */
export type IdentityRefusalCode =
  | 'TOKEN_MALFORMED'
  | 'TOKEN_UNKNOWN_ISSUER'
  | 'TOKEN_ALGORITHM'
  | 'TOKEN_UNKNOWN_KEY'
  | 'TOKEN_SIGNATURE'
  | 'TOKEN_EXPIRED'
  | 'TOKEN_NOT_YET_VALID'
  | 'TOKEN_AUDIENCE'
  | 'TOKEN_CLAIM'
  | 'TOKEN_TOO_LARGE'
  | 'ISSUER_UNREACHABLE';

export type Identified =
  | { readonly ok: true; readonly principal: Principal }
  | { readonly ok: false; readonly code: IdentityRefusalCode; readonly detail: string };

/** The first door: a token in, a principal out. A refusal is a value; it never throws for what an agent sent. */
export interface IdentityPort {
  identify(token: string, signal?: AbortSignal): Promise<Identified>;
}
