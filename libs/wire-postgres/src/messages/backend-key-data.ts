import { BodyReader } from '../body-reader.js';
import { FrameWriter } from '../frame-writer.js';
import { BackendType } from '../message-types.js';
import { isCancelKey, requireCancelKey } from '../cancel-key.js';

/**
 * BackendKeyData (B): what a CancelRequest must show. Four bytes in 3.0, up to 256 in 3.2.
 *
 *     Byte1('K')  Int32 length  Int32 process  Byte n secret
 */
export interface BackendKeyData {
  readonly kind: 'backendKeyData';
  readonly processId: number;
  readonly secret: Buffer;
}

export function decodeBackendKeyData(body: Buffer): BackendKeyData {
  const reader = new BodyReader(body, 'BackendKeyData');
  const processId = reader.int32();
  const secret = reader.rest();
  if (!isCancelKey(secret)) throw reader.malformed('a key of the wrong length');
  return { kind: 'backendKeyData', processId, secret };
}

export function encodeBackendKeyData(message: BackendKeyData): Buffer {
  const writer = new FrameWriter(BackendType.backendKeyData);
  return writer.int32(message.processId).bytes(requireCancelKey(message.secret)).finish();
}
