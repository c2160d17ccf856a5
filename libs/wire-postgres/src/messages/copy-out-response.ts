import { BodyReader } from '../body-reader.js';
import { FrameWriter } from '../frame-writer.js';
import { BackendType } from '../message-types.js';
import { readFormats, writeFormats } from './formats.js';

/**
 * CopyOutResponse (B): copy data follows.
 *
 *     Byte1('H')  Int32 length  Int8 overall format  Int16 count  Int16 column format [count]
 */
export interface CopyOutResponse {
  readonly kind: 'copyOutResponse';
  /** 0 text, 1 binary. */
  readonly format: number;
  readonly columnFormats: readonly number[];
}

export function decodeCopyOutResponse(body: Buffer): CopyOutResponse {
  const reader = new BodyReader(body, 'CopyOutResponse');
  const format = reader.uint8();
  const columnFormats = readFormats(reader);
  reader.end();
  return { kind: 'copyOutResponse', format, columnFormats };
}

export function encodeCopyOutResponse(message: CopyOutResponse): Buffer {
  const writer = new FrameWriter(BackendType.copyOutResponse);
  writer.uint8(message.format);
  writeFormats(writer, message.columnFormats);
  return writer.finish();
}
