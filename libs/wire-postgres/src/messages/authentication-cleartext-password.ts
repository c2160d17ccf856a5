import type { BodyReader } from '../body-reader.js';
import { FrameWriter } from '../frame-writer.js';
import { AuthenticationMethod, BackendType } from '../message-types.js';

/**
 * AuthenticationCleartextPassword (B): asks for the password as it is.
 *
 *     Byte1('R')  Int32(8)  Int32(3)
 */
export interface AuthenticationCleartextPassword {
  readonly kind: 'authenticationCleartextPassword';
}

/** `reader` stands behind the method. */
export function decodeAuthenticationCleartextPassword(reader: BodyReader): AuthenticationCleartextPassword {
  reader.end();
  return { kind: 'authenticationCleartextPassword' };
}

export function encodeAuthenticationCleartextPassword(_message?: AuthenticationCleartextPassword): Buffer {
  return new FrameWriter(BackendType.authentication).int32(AuthenticationMethod.cleartextPassword).finish();
}
