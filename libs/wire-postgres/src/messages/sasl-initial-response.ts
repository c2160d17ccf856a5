import { BodyReader } from '../body-reader.js';
import { FrameWriter } from '../frame-writer.js';
import { FrontendType } from '../message-types.js';

/**
 * SASLInitialResponse (F): the mechanism that the client picked, and its first message.
 *
 *     Byte1('p')  Int32 length  String mechanism  Int32 length or −1  Byte n data
 */
export interface SASLInitialResponse {
  readonly kind: 'saslInitialResponse';
  readonly mechanism: string;
  readonly data: Buffer | null;
}

export function decodeSASLInitialResponse(body: Buffer): SASLInitialResponse {
  const reader = new BodyReader(body, 'SASLInitialResponse');
  const mechanism = reader.clientString();
  const data = reader.value();
  reader.end();
  return { kind: 'saslInitialResponse', mechanism, data };
}

export function encodeSASLInitialResponse(message: SASLInitialResponse): Buffer {
  return new FrameWriter(FrontendType.password).cstring(message.mechanism).value(message.data).finish();
}
