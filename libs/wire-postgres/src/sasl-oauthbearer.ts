import { WireError } from './wire-error.js';

/*
 * OAUTHBEARER (RFC 7628) as PostgreSQL 18 speaks it.
 *
 *     client-resp = (gs2-header kvsep *kvpair kvsep) / kvsep
 *     gs2-header  = ("n" / "y") "," ["a=" saslname] ","
 *     kvpair      = key "=" value kvsep          kvsep = %x01
 */

export const OAUTHBEARER = 'OAUTHBEARER';

/** Of the whole initial response. Tokens with many groups reach some kilobytes. */
export const MAX_OAUTHBEARER_BYTES = 65_536;

const KVSEP = '\x01';
const KVSEP_BYTE = 0x01;
const MAX_PAIRS = 16;
const GS2_HEADER = /^(?:n|y|p=[A-Za-z0-9.-]+),(?:a=[^,]*)?,$/;
const KEY = /^[A-Za-z]+$/;
const VALUE = /^[\t\n\r\x20-\x7e]*$/;
/** RFC 6750 §2.1, b64token. The scheme's name is case-insensitive. */
const BEARER = /^bearer +([A-Za-z0-9\-._~+/]+=*) *$/i;

export interface OAuthBearerInitialResponse {
  /** Empty: the client asks where to get one, and is told so in the failure. */
  readonly token: string;
}

/**
 * Reads the client's initial response. A channel binding, an authorization identity, a second `auth` and any scheme but Bearer
 * are refused, as PostgreSQL does; other keys are passed over, as RFC 7628 §3.1 says.
 *
 * Throws {@link WireError} `WIRE_SASL_MALFORMED`, `WIRE_FRAME_TOO_LARGE`. Neither quotes the token.
 */
export function decodeOAuthBearerInitialResponse(data: Buffer, maxBytes: number = MAX_OAUTHBEARER_BYTES): OAuthBearerInitialResponse {
  if (data.length > maxBytes) throw new WireError('WIRE_FRAME_TOO_LARGE', `an OAUTHBEARER response over ${maxBytes} bytes`);
  const text = data.toString('latin1');
  const headerEnd = text.indexOf(KVSEP);
  if (headerEnd <= 0 || !text.endsWith(KVSEP + KVSEP)) throw malformed('its framing is broken');
  const header = text.slice(0, headerEnd);
  if (!GS2_HEADER.test(header)) throw malformed('its GS2 header is broken');
  if (header.startsWith('p')) throw malformed('OAUTHBEARER has no channel binding');
  if (header.length > 3) throw malformed('an authorization identity is not supported');
  if (headerEnd + 2 >= text.length) throw malformed('it has no auth value');
  const auth = authValue(text.slice(headerEnd + 1, -2).split(KVSEP, MAX_PAIRS + 1));
  if (auth === '') return { token: '' };
  const token = BEARER.exec(auth)?.[1];
  if (token === undefined) throw malformed('its auth value is no bearer token');
  return { token };
}

function authValue(pairs: readonly string[]): string {
  if (pairs.length > MAX_PAIRS) throw malformed(`over ${MAX_PAIRS} keys`);
  let auth: string | undefined;
  for (const pair of pairs) {
    const equals = pair.indexOf('=');
    const key = pair.slice(0, Math.max(equals, 0));
    const value = pair.slice(equals + 1);
    if (!KEY.test(key) || !VALUE.test(value)) throw malformed('a key and value are broken');
    if (key !== 'auth') continue;
    if (auth !== undefined) throw malformed('two auth values');
    auth = value;
  }
  if (auth === undefined) throw malformed('it has no auth value');
  return auth;
}

/** What a client sends. Throws {@link WireError} `WIRE_VALUE_OUT_OF_RANGE` for a token that isn't one. */
export function encodeOAuthBearerInitialResponse(response: OAuthBearerInitialResponse): Buffer {
  const auth = response.token === '' ? '' : `Bearer ${response.token}`;
  if (auth !== '' && !BEARER.test(auth)) throw new WireError('WIRE_VALUE_OUT_OF_RANGE', 'not a bearer token');
  return Buffer.from(`n,,${KVSEP}auth=${auth}${KVSEP}${KVSEP}`, 'latin1');
}

/** RFC 7628 §3.2.2: why, and where a token is to be had. */
export interface OAuthBearerFailure {
  readonly status: 'invalid_token' | 'invalid_request' | 'insufficient_scope';
  readonly scope?: string;
  /** URL of the issuer's discovery document. */
  readonly openidConfiguration?: string;
}

/** The data of AuthenticationSASLContinue that tells of a failure. The client answers with {@link isOAuthBearerAbort}; then comes the ErrorResponse. */
export function encodeOAuthBearerFailure(failure: OAuthBearerFailure): Buffer {
  const { status, scope, openidConfiguration } = failure;
  return Buffer.from(JSON.stringify({ status, 'openid-configuration': openidConfiguration, scope }), 'utf8');
}

/** The single kvsep that a client owes after a failure. */
export function isOAuthBearerAbort(data: Buffer): boolean {
  return data.length === 1 && data[0] === KVSEP_BYTE;
}

function malformed(why: string): WireError {
  return new WireError('WIRE_SASL_MALFORMED', `OAUTHBEARER response: ${why}`);
}
