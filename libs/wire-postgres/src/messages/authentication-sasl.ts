import type { BodyReader } from '../body-reader.js';
import { FrameWriter } from '../frame-writer.js';
import { WireError } from '../wire-error.js';
import { AuthenticationMethod, BackendType } from '../message-types.js';

/**
 * AuthenticationSASL (B): offers SASL mechanisms, best first.
 *
 *     Byte1('R')  Int32 length  Int32(10)  String mechanism […]  Byte1(0)
 */
export interface AuthenticationSASL {
  readonly kind: 'authenticationSasl';
  readonly mechanisms: readonly string[];
}

/** `reader` stands behind the method. */
export function decodeAuthenticationSASL(reader: BodyReader): AuthenticationSASL {
  const mechanisms: string[] = [];
  for (let name = reader.serverString(); name !== ''; name = reader.serverString()) mechanisms.push(name);
  reader.end();
  return { kind: 'authenticationSasl', mechanisms };
}

export function encodeAuthenticationSASL(message: AuthenticationSASL): Buffer {
  const writer = new FrameWriter(BackendType.authentication).int32(AuthenticationMethod.sasl);
  for (const mechanism of message.mechanisms) {
    if (mechanism === '') throw new WireError('WIRE_VALUE_OUT_OF_RANGE', 'a mechanism without a name');
    writer.cstring(mechanism);
  }
  return writer.uint8(0).finish();
}
