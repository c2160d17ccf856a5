import { BodyReader } from '../body-reader.js';
import { FrameWriter } from '../frame-writer.js';
import { BackendType } from '../message-types.js';

/**
 * DataRow (B): one row.
 *
 *     Byte1('D')  Int32 length  Int16 count  (Int32 length or −1, Byte n)[count]
 */
export interface DataRow {
  readonly kind: 'dataRow';
  readonly values: readonly (Buffer | null)[];
}

export function decodeDataRow(body: Buffer): DataRow {
  const reader = new BodyReader(body, 'DataRow');
  const count = reader.count(4);
  const values: (Buffer | null)[] = [];
  for (let i = 0; i < count; i += 1) values.push(reader.value());
  reader.end();
  return { kind: 'dataRow', values };
}

export function encodeDataRow(message: DataRow): Buffer {
  const writer = new FrameWriter(BackendType.dataRow);
  writer.count(message.values.length);
  for (const value of message.values) writer.value(value);
  return writer.finish();
}
