import type { BodyReader } from '../body-reader.js';
import { FrameWriter } from '../frame-writer.js';
import { AuthenticationMethod, BackendType } from '../message-types.js';

/**
 * AuthenticationSASLFinal (B): the mechanism's last word; AuthenticationOk follows.
 *
 *     Byte1('R')  Int32 length  Int32(12)  Byte n data
 */
export interface AuthenticationSASLFinal {
  readonly kind: 'authenticationSaslFinal';
  readonly data: Buffer;
}

/** `reader` stands behind the method. */
export function decodeAuthenticationSASLFinal(reader: BodyReader): AuthenticationSASLFinal {
  return { kind: 'authenticationSaslFinal', data: reader.rest() };
}

export function encodeAuthenticationSASLFinal(message: AuthenticationSASLFinal): Buffer {
  return new FrameWriter(BackendType.authentication).int32(AuthenticationMethod.saslFinal).bytes(message.data).finish();
}
