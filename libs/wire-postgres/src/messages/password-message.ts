import { BodyReader } from '../body-reader.js';
import { FrameWriter } from '../frame-writer.js';
import { FrontendType } from '../message-types.js';

/**
 * PasswordMessage (F): a password, in the clear or as an MD5 hash.
 *
 *     Byte1('p')  Int32 length  String password
 */
export interface PasswordMessage {
  readonly kind: 'passwordMessage';
  readonly password: string;
}

export function decodePasswordMessage(body: Buffer): PasswordMessage {
  const reader = new BodyReader(body, 'PasswordMessage');
  const password = reader.clientString();
  reader.end();
  return { kind: 'passwordMessage', password };
}

export function encodePasswordMessage(message: PasswordMessage): Buffer {
  return new FrameWriter(FrontendType.password).cstring(message.password).finish();
}
