import type { BodyReader } from '../body-reader.js';
import { FrameWriter } from '../frame-writer.js';
import { AuthenticationMethod, BackendType } from '../message-types.js';

/**
 * AuthenticationOk (B): signed in.
 *
 *     Byte1('R')  Int32(8)  Int32(0)
 */
export interface AuthenticationOk {
  readonly kind: 'authenticationOk';
}

/** `reader` stands behind the method. */
export function decodeAuthenticationOk(reader: BodyReader): AuthenticationOk {
  reader.end();
  return { kind: 'authenticationOk' };
}

export function encodeAuthenticationOk(_message?: AuthenticationOk): Buffer {
  return new FrameWriter(BackendType.authentication).int32(AuthenticationMethod.ok).finish();
}
