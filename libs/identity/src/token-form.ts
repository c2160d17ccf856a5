import type { Identified } from './identity.port.js';
import { readJsonObject } from './json-object.js';

/** What a compact JWS says before anybody has checked its signature: good for picking an issuer and a key, and for nothing else. */
export interface UnverifiedToken {
  readonly algorithm: string;
  readonly keyId: string | undefined;
  readonly issuer: string;
}

export type TokenForm = { readonly ok: true; readonly token: UnverifiedToken } | Extract<Identified, { ok: false }>;

type Refusal = Extract<Identified, { ok: false }>;

/** `at+jwt` is RFC 9068's, `JWT` is what nearly everybody else writes, and some (AWS Cognito) write none. */
const ACCEPTED_TYPES: ReadonlySet<string> = new Set(['jwt', 'at+jwt', 'application/at+jwt']);

/** Headers that bring a key along, or that change what is signed (RFC 7515 section 4.1, RFC 7797). A gate needs none of them. */
const REFUSED_HEADERS = ['jwk', 'jku', 'x5u', 'x5c', 'crit', 'b64', 'zip', 'enc'] as const;

const COMPACT = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*$/;

/**
 * The form of a token (RFC 7515 section 7.1), its size first. Looks at the header with suspicion, verifies nothing.
 * `maxBytes` counts the token as sent.
 */
export function readTokenForm(token: string, maxBytes: number): TokenForm {
  if (typeof token !== 'string' || token.length === 0) return malformed('no token was given');
  if (token.length > maxBytes) return { ok: false, code: 'TOKEN_TOO_LARGE', detail: `the token is larger than ${maxBytes} bytes` };
  if (!COMPACT.test(token)) return malformed('the token is not three base64url parts');
  const [head = '', body = '', signature = ''] = token.split('.');
  const header = readJsonObject(Buffer.from(head, 'base64url'));
  const claims = readJsonObject(Buffer.from(body, 'base64url'));
  if (!header) return malformed('the header is not a JSON object');
  if (!claims) return malformed('the claims are not a JSON object with each name once');
  const { alg, kid, typ } = header;
  if (typeof alg !== 'string') return malformed('the header names no algorithm');
  if (alg.toLowerCase() === 'none') return { ok: false, code: 'TOKEN_ALGORITHM', detail: 'the token is not signed' };
  const refused = REFUSED_HEADERS.find((name) => Object.hasOwn(header, name));
  if (refused) return malformed(`the header member "${refused}" is not accepted`);
  if (kid !== undefined && typeof kid !== 'string') return malformed('the header member "kid" is not a string');
  if (typ !== undefined && (typeof typ !== 'string' || !ACCEPTED_TYPES.has(typ.toLowerCase()))) {
    return malformed('the header member "typ" is neither at+jwt nor JWT');
  }
  if (signature === '') return malformed('the signature is empty');
  const { iss } = claims;
  if (typeof iss !== 'string') return { ok: false, code: 'TOKEN_CLAIM', detail: 'the claim "iss" is missing or not a string' };
  return { ok: true, token: { algorithm: alg, keyId: kid, issuer: iss } };
}

function malformed(detail: string): Refusal {
  return { ok: false, code: 'TOKEN_MALFORMED', detail };
}
