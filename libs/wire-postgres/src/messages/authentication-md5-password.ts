import type { BodyReader } from '../body-reader.js';
import { FrameWriter } from '../frame-writer.js';
import { WireError } from '../wire-error.js';
import { AuthenticationMethod, BackendType } from '../message-types.js';

/**
 * AuthenticationMD5Password (B): asks for the MD5 hash of hash and salt.
 *
 *     Byte1('R')  Int32(12)  Int32(5)  Byte4 salt
 */
export interface AuthenticationMD5Password {
  readonly kind: 'authenticationMd5Password';
  readonly salt: Buffer;
}

/** `reader` stands behind the method. */
export function decodeAuthenticationMD5Password(reader: BodyReader): AuthenticationMD5Password {
  const salt = reader.bytes(4);
  reader.end();
  return { kind: 'authenticationMd5Password', salt };
}

export function encodeAuthenticationMD5Password(message: AuthenticationMD5Password): Buffer {
  if (message.salt.length !== 4) throw new WireError('WIRE_VALUE_OUT_OF_RANGE', 'a salt of the wrong length');
  return new FrameWriter(BackendType.authentication).int32(AuthenticationMethod.md5Password).bytes(message.salt).finish();
}
