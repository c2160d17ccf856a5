import { FrameWriter } from '../frame-writer.js';
import { BackendType } from '../message-types.js';

/**
 * CopyData (F and B): a piece of a copy's stream. A server sends one row in each, a client need not.
 *
 *     Byte1('d')  Int32 length  Byte n data
 */
export interface CopyData {
  readonly kind: 'copyData';
  readonly data: Buffer;
}

export function decodeCopyData(body: Buffer): CopyData {
  return { kind: 'copyData', data: body };
}

export function encodeCopyData(message: CopyData): Buffer {
  return new FrameWriter(BackendType.copyData).bytes(message.data).finish();
}
