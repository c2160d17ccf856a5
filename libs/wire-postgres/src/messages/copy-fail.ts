import { BodyReader } from '../body-reader.js';
import { FrameWriter } from '../frame-writer.js';
import { FrontendType } from '../message-types.js';

/**
 * CopyFail (F): the client gives a copy up.
 *
 *     Byte1('f')  Int32 length  String reason
 */
export interface CopyFail {
  readonly kind: 'copyFail';
  readonly reason: string;
}

export function decodeCopyFail(body: Buffer): CopyFail {
  const reader = new BodyReader(body, 'CopyFail');
  const reason = reader.clientString();
  reader.end();
  return { kind: 'copyFail', reason };
}

export function encodeCopyFail(message: CopyFail): Buffer {
  return new FrameWriter(FrontendType.copyFail).cstring(message.reason).finish();
}
