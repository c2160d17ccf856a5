import { readActors } from './actors.js';
import { readGroups } from './groups.js';
import type { Identified } from './identity.port.js';
import { type KindRule, readKind } from './kind.js';
import type { Principal } from './principal.js';

/** What one provider's tokens must say, and where they say it. */
export interface ClaimRules {
  readonly provider: string;
  readonly issuer: string;
  readonly audience: string;
  /** Claim name, or a dotted path (`realm_access.roles`). */
  readonly groups: string;
  readonly kind?: KindRule;
  /** How far the issuer's clock may run ahead of ours, for `nbf` and `iat`. `exp` gets none of it: a session never outlives its token. */
  readonly clockToleranceMs: number;
  /** For who looks at a token again that another service has accepted, by another clock. Default 0. */
  readonly expiryToleranceMs?: number;
  readonly maxActorDepth: number;
}

type Claims = Readonly<Record<string, unknown>>;
type Refusal = Extract<Identified, { ok: false }>;

/** OpenID Connect Core 1.0 section 2: `sub` has at most 255 characters. */
const MAX_SUBJECT_LENGTH = 255;
const MAX_RUN_LENGTH = 128;
/** Behind this a date does not fit a JavaScript date. */
const MAX_SECONDS = 8.64e12;

// oxlint-disable-next-line no-control-regex -- control characters in a name would forge log lines and terminal output
const UNPRINTABLE = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/;

/**
 * Claims whose signature has been verified, turned into a principal (RFC 7519 section 4.1, RFC 9068 section 4, RFC 8693 section 4).
 * Every claim that is there must have its type. `nowMs` is milliseconds since the epoch.
 */
export function principalFromClaims(claims: Claims, rules: ClaimRules, nowMs: number): Identified {
  if (claims['iss'] !== rules.issuer) return refuse('TOKEN_UNKNOWN_ISSUER', 'the claim "iss" is not the issuer that signed');
  const badAudience = checkAudience(claims['aud'], rules.audience);
  if (badAudience) return badAudience;
  const badTime = checkTimes(claims, rules, nowMs);
  if (badTime) return badTime;
  const badPurpose = checkPurpose(claims);
  if (badPurpose) return badPurpose;

  const { sub, jti, run } = claims;
  if (!isName(sub, MAX_SUBJECT_LENGTH)) return refuse('TOKEN_CLAIM', 'the claim "sub" is missing or is not a name');
  if (jti !== undefined && !isName(jti, MAX_SUBJECT_LENGTH)) return refuse('TOKEN_CLAIM', 'the claim "jti" is not a name');
  if (run !== undefined && !isName(run, MAX_RUN_LENGTH)) return refuse('TOKEN_CLAIM', 'the claim "run" is not a name');
  const actors = readActors(claims['act'], rules.maxActorDepth, (value) => isName(value, MAX_SUBJECT_LENGTH));
  if (typeof actors === 'string') return refuse('TOKEN_CLAIM', actors);
  const kind = readKind(claims, rules.kind);
  if (kind === undefined) return refuse('TOKEN_CLAIM', 'the token does not say whether it is for a person or a workload');

  // Shared by every session of this token, so nobody may change it.
  const principal: Principal = Object.freeze({
    subject: sub,
    issuer: rules.issuer,
    provider: rules.provider,
    kind,
    groups: Object.freeze(readGroups(claims, rules.groups)),
    actors: Object.freeze(actors),
    ...(run === undefined ? {} : { run }),
    expiresAtMs: Math.floor((claims['exp'] as number) * 1000),
    ...(typeof claims['iat'] === 'number' ? { issuedAtMs: Math.floor(claims['iat'] * 1000) } : {}),
    ...(jti === undefined ? {} : { tokenId: jti }),
  });
  return { ok: true, principal };
}

function checkAudience(aud: unknown, wanted: string): Refusal | undefined {
  if (aud === undefined) return refuse('TOKEN_AUDIENCE', 'the token has no audience');
  const all: unknown[] = Array.isArray(aud) ? aud : [aud];
  if (!all.every((one) => typeof one === 'string')) return refuse('TOKEN_CLAIM', 'the claim "aud" is not a string or a list of strings');
  return all.includes(wanted) ? undefined : refuse('TOKEN_AUDIENCE', 'the token is for another audience');
}

function checkTimes(claims: Claims, rules: ClaimRules, nowMs: number): Refusal | undefined {
  const { clockToleranceMs: toleranceMs, expiryToleranceMs = 0 } = rules;
  const { exp, nbf, iat } = claims;
  if (!isDate(exp)) return refuse('TOKEN_CLAIM', 'the claim "exp" is missing or not a date');
  if (nbf !== undefined && !isDate(nbf)) return refuse('TOKEN_CLAIM', 'the claim "nbf" is not a date');
  if (iat !== undefined && !isDate(iat)) return refuse('TOKEN_CLAIM', 'the claim "iat" is not a date');
  if (exp * 1000 + expiryToleranceMs <= nowMs) return refuse('TOKEN_EXPIRED', 'the token has expired');
  if (nbf !== undefined && nbf * 1000 > nowMs + toleranceMs) return refuse('TOKEN_NOT_YET_VALID', 'the token is not valid yet');
  if (iat !== undefined && iat * 1000 > nowMs + toleranceMs) return refuse('TOKEN_NOT_YET_VALID', 'the token was issued in the future');
  return undefined;
}

/**
 * An ID token tells a client who signed in; it is not a key to anything, although its signature and sometimes its audience fit.
 * `at_hash` and `c_hash` are OpenID Connect's, a `typ` claim Keycloak's, `token_use` Cognito's. `cnf` binds a token to a key of the sender
 * (RFC 7800, 8705, 9449), which no password field can prove, so such a token is not taken as a bearer token.
 */
function checkPurpose(claims: Claims): Refusal | undefined {
  const isIdToken =
    Object.hasOwn(claims, 'at_hash') ||
    Object.hasOwn(claims, 'c_hash') ||
    (claims['token_use'] !== undefined && claims['token_use'] !== 'access') ||
    (claims['typ'] !== undefined && claims['typ'] !== 'Bearer');
  if (isIdToken) return refuse('TOKEN_CLAIM', 'this is not an access token: sign in with the access token');
  if (claims['cnf'] !== undefined) return refuse('TOKEN_CLAIM', 'the token is bound to a key of its sender: ask for a bearer token');
  return undefined;
}

function isDate(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value <= MAX_SECONDS;
}

function isName(value: unknown, maxLength: number): value is string {
  return typeof value === 'string' && value.length > 0 && value.length <= maxLength && !UNPRINTABLE.test(value);
}

function refuse(code: Refusal['code'], detail: string): Refusal {
  return { ok: false, code, detail };
}
