import * as fc from 'fast-check';

import {
  decodeOAuthBearerInitialResponse,
  encodeOAuthBearerFailure,
  encodeOAuthBearerInitialResponse,
  isOAuthBearerAbort,
} from './sasl-oauthbearer.js';

const codeOf = (act: () => unknown): unknown => {
  try {
    act();
  } catch (error) {
    return (error as { code?: unknown }).code;
  }
  return undefined;
};
const decode = (text: string) => decodeOAuthBearerInitialResponse(Buffer.from(text, 'latin1'));

describe('OAUTHBEARER', () => {
  it('round trip', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[A-Za-z0-9\-._~+/]{1,40}={0,2}$/), (token) => {
        expect(decodeOAuthBearerInitialResponse(encodeOAuthBearerInitialResponse({ token }))).toEqual({ token });
      }),
    );
    expect(decodeOAuthBearerInitialResponse(encodeOAuthBearerInitialResponse({ token: '' }))).toEqual({ token: '' });
  });

  it.each([
    ['libpq', 'n,,\x01auth=Bearer abc.def\x01\x01', 'abc.def'],
    ['a client that knows channel binding', 'y,,\x01auth=Bearer abc\x01\x01', 'abc'],
    ['the scheme in another case', 'n,,\x01auth=bEARER  abc==\x01\x01', 'abc=='],
    ['other keys', 'n,,\x01host=server.example.com\x01port=143\x01auth=Bearer abc\x01\x01', 'abc'],
    ['a client that asks where to get one', 'n,,\x01auth=\x01\x01', ''],
  ])('reads %s', (_what, text, token) => {
    expect(decode(text)).toEqual({ token });
  });

  it.each([
    ['nothing', ''],
    ['an abort', '\x01'],
    ['no keys', 'n,,\x01\x01'],
    ['no auth', 'n,,\x01host=x\x01\x01'],
    ['no end', 'n,,\x01auth=Bearer abc\x01'],
    ['bytes behind the end', 'n,,\x01auth=Bearer abc\x01\x01x'],
    ['two tokens', 'n,,\x01auth=Bearer abc\x01auth=Bearer def\x01\x01'],
    ['a channel binding', 'p=tls-exporter,,\x01auth=Bearer abc\x01\x01'],
    ['an identity', 'n,a=admin,\x01auth=Bearer abc\x01\x01'],
    ['no GS2 header', '\x01auth=Bearer abc\x01\x01'],
    ['a broken GS2 header', 'n,\x01auth=Bearer abc\x01\x01'],
    ['another scheme', 'n,,\x01auth=Basic abc\x01\x01'],
    ['a token with a space', 'n,,\x01auth=Bearer a b\x01\x01'],
    ['no token behind the scheme', 'n,,\x01auth=Bearer \x01\x01'],
    ['a NUL in the token', 'n,,\x01auth=Bearer a\0b\x01\x01'],
    ['a key without a value', 'n,,\x01auth\x01\x01'],
    ['a key with a digit', 'n,,\x01a1=x\x01auth=Bearer abc\x01\x01'],
    ['an empty key and value', 'n,,\x01\x01auth=Bearer abc\x01\x01'],
  ])('refuses %s', (_what, text) => {
    expect(codeOf(() => decode(text))).toBe('WIRE_SASL_MALFORMED');
  });

  it('P9: holds the response to its limits', () => {
    expect(codeOf(() => decode(`n,,\x01auth=Bearer ${'a'.repeat(70_000)}\x01\x01`))).toBe('WIRE_FRAME_TOO_LARGE');
    expect(codeOf(() => decode(`n,,\x01${'k=v\x01'.repeat(16)}auth=Bearer abc\x01\x01`))).toBe('WIRE_SASL_MALFORMED');
    fc.assert(
      fc.property(fc.string({ unit: 'binary-ascii', maxLength: 60 }), (text) => {
        expect([undefined, 'WIRE_SASL_MALFORMED']).toContain(codeOf(() => decode(`n,,\x01auth=${text}\x01\x01`)));
      }),
    );
  });

  it('tells of a failure, and knows the answer to it', () => {
    const failure = encodeOAuthBearerFailure({
      status: 'invalid_token',
      openidConfiguration: 'https://idp.example.com/.well-known/openid-configuration',
    });
    expect(JSON.parse(failure.toString())).toEqual({
      status: 'invalid_token',
      'openid-configuration': 'https://idp.example.com/.well-known/openid-configuration',
    });
    expect(isOAuthBearerAbort(Buffer.of(1))).toBe(true);
    expect(isOAuthBearerAbort(Buffer.of(1, 1))).toBe(false);
  });
});
