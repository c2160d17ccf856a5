import { BodyReader } from '../body-reader.js';
import { AuthenticationMethod } from '../message-types.js';
import { type AuthenticationCleartextPassword, decodeAuthenticationCleartextPassword } from './authentication-cleartext-password.js';
import { type AuthenticationMD5Password, decodeAuthenticationMD5Password } from './authentication-md5-password.js';
import { type AuthenticationOk, decodeAuthenticationOk } from './authentication-ok.js';
import { type AuthenticationOther, decodeAuthenticationOther } from './authentication-other.js';
import { type AuthenticationSASLContinue, decodeAuthenticationSASLContinue } from './authentication-sasl-continue.js';
import { type AuthenticationSASLFinal, decodeAuthenticationSASLFinal } from './authentication-sasl-final.js';
import { type AuthenticationSASL, decodeAuthenticationSASL } from './authentication-sasl.js';

/** The messages that share the type 'R' and are told apart by the Int32 behind the length. */
export type Authentication =
  | AuthenticationOk
  | AuthenticationCleartextPassword
  | AuthenticationMD5Password
  | AuthenticationSASL
  | AuthenticationSASLContinue
  | AuthenticationSASLFinal
  | AuthenticationOther;

export function decodeAuthentication(body: Buffer): Authentication {
  const reader = new BodyReader(body, 'Authentication');
  const method = reader.int32();
  switch (method) {
    case AuthenticationMethod.ok:
      return decodeAuthenticationOk(reader);
    case AuthenticationMethod.cleartextPassword:
      return decodeAuthenticationCleartextPassword(reader);
    case AuthenticationMethod.md5Password:
      return decodeAuthenticationMD5Password(reader);
    case AuthenticationMethod.sasl:
      return decodeAuthenticationSASL(reader);
    case AuthenticationMethod.saslContinue:
      return decodeAuthenticationSASLContinue(reader);
    case AuthenticationMethod.saslFinal:
      return decodeAuthenticationSASLFinal(reader);
    default:
      return decodeAuthenticationOther(reader, method);
  }
}
