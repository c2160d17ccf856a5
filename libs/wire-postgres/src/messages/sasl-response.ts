import { FrameWriter } from '../frame-writer.js';
import { FrontendType } from '../message-types.js';

/**
 * SASLResponse (F): a later message of the client's mechanism.
 *
 *     Byte1('p')  Int32 length  Byte n data
 */
export interface SASLResponse {
  readonly kind: 'saslResponse';
  readonly data: Buffer;
}

export function decodeSASLResponse(body: Buffer): SASLResponse {
  return { kind: 'saslResponse', data: body };
}

export function encodeSASLResponse(message: SASLResponse): Buffer {
  return new FrameWriter(FrontendType.password).bytes(message.data).finish();
}
