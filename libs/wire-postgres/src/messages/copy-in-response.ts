import { BodyReader } from '../body-reader.js';
import { FrameWriter } from '../frame-writer.js';
import { BackendType } from '../message-types.js';
import { readFormats, writeFormats } from './formats.js';

/**
 * CopyInResponse (B): the server is ready for copy data.
 *
 *     Byte1('G')  Int32 length  Int8 overall format  Int16 count  Int16 column format [count]
 */
export interface CopyInResponse {
  readonly kind: 'copyInResponse';
  /** 0 text, 1 binary. */
  readonly format: number;
  readonly columnFormats: readonly number[];
}

export function decodeCopyInResponse(body: Buffer): CopyInResponse {
  const reader = new BodyReader(body, 'CopyInResponse');
  const format = reader.uint8();
  const columnFormats = readFormats(reader);
  reader.end();
  return { kind: 'copyInResponse', format, columnFormats };
}

export function encodeCopyInResponse(message: CopyInResponse): Buffer {
  const writer = new FrameWriter(BackendType.copyInResponse);
  writer.uint8(message.format);
  writeFormats(writer, message.columnFormats);
  return writer.finish();
}
