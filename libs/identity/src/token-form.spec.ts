import * as fc from 'fast-check';
import { readTokenForm } from './token-form.js';

const part = (value: unknown) => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');

describe('readTokenForm', () => {
  it('answers whatever it is given, and never throws', () => {
    fc.assert(fc.property(fc.string({ maxLength: 300 }), (text) => expect(readTokenForm(text, 200)).toHaveProperty('ok')));
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), fc.string(), (header, claims, signature) => {
        expect(readTokenForm(`${part(header)}.${part(claims)}.${part(signature)}`, 100_000)).toHaveProperty('ok');
      }),
    );
  });

  it('P9: looks at the size before anything else', () => {
    expect(readTokenForm('.'.repeat(17), 16)).toEqual(expect.objectContaining({ code: 'TOKEN_TOO_LARGE' }));
    expect(readTokenForm('.'.repeat(16), 16)).toEqual(expect.objectContaining({ code: 'TOKEN_MALFORMED' }));
  });

  it('reads algorithm, key id and issuer', () => {
    const token = `${part({ alg: 'ES256', kid: 'k' })}.${part({ iss: 'https://idp.example.com' })}.AAAA`;
    expect(readTokenForm(token, 1000)).toEqual({
      ok: true,
      token: { algorithm: 'ES256', keyId: 'k', issuer: 'https://idp.example.com' },
    });
  });
});
