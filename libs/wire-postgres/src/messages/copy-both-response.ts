import { BodyReader } from '../body-reader.js';
import { FrameWriter } from '../frame-writer.js';
import { BackendType } from '../message-types.js';
import { readFormats, writeFormats } from './formats.js';

/**
 * CopyBothResponse (B): copy data may go both ways; used by replication only.
 *
 *     Byte1('W')  Int32 length  Int8 overall format  Int16 count  Int16 column format [count]
 */
export interface CopyBothResponse {
  readonly kind: 'copyBothResponse';
  /** 0 text, 1 binary. */
  readonly format: number;
  readonly columnFormats: readonly number[];
}

export function decodeCopyBothResponse(body: Buffer): CopyBothResponse {
  const reader = new BodyReader(body, 'CopyBothResponse');
  const format = reader.uint8();
  const columnFormats = readFormats(reader);
  reader.end();
  return { kind: 'copyBothResponse', format, columnFormats };
}

export function encodeCopyBothResponse(message: CopyBothResponse): Buffer {
  const writer = new FrameWriter(BackendType.copyBothResponse);
  writer.uint8(message.format);
  writeFormats(writer, message.columnFormats);
  return writer.finish();
}
