import type { BodyReader } from '../body-reader.js';
import { FrameWriter } from '../frame-writer.js';
import { AuthenticationMethod, BackendType } from '../message-types.js';

/**
 * AuthenticationSASLContinue (B): a challenge of the mechanism.
 *
 *     Byte1('R')  Int32 length  Int32(11)  Byte n data
 */
export interface AuthenticationSASLContinue {
  readonly kind: 'authenticationSaslContinue';
  readonly data: Buffer;
}

/** `reader` stands behind the method. */
export function decodeAuthenticationSASLContinue(reader: BodyReader): AuthenticationSASLContinue {
  return { kind: 'authenticationSaslContinue', data: reader.rest() };
}

export function encodeAuthenticationSASLContinue(message: AuthenticationSASLContinue): Buffer {
  return new FrameWriter(BackendType.authentication).int32(AuthenticationMethod.saslContinue).bytes(message.data).finish();
}
