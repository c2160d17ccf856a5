import type { BodyReader } from '../body-reader.js';
import { FrameWriter } from '../frame-writer.js';
import { BackendType } from '../message-types.js';

/**
 * Any other AuthenticationXXX (B): Kerberos, GSSAPI, SSPI and what may come. Named, so that it can be refused.
 *
 *     Byte1('R')  Int32 length  Int32 method  Byte n data
 */
export interface AuthenticationOther {
  readonly kind: 'authenticationOther';
  readonly method: number;
  readonly data: Buffer;
}

export function decodeAuthenticationOther(reader: BodyReader, method: number): AuthenticationOther {
  return { kind: 'authenticationOther', method, data: reader.rest() };
}

export function encodeAuthenticationOther(message: AuthenticationOther): Buffer {
  return new FrameWriter(BackendType.authentication).int32(message.method).bytes(message.data).finish();
}
