import { BodyReader } from '../body-reader.js';
import { FrameWriter } from '../frame-writer.js';
import { BackendType } from '../message-types.js';

export interface ColumnDescription {
  readonly name: string;
  /** With `attribute`, the column of a table or a view that this is, plainly; 0 for anything computed. */
  readonly tableOid: number;
  readonly attribute: number;
  readonly typeOid: number;
  /** Bytes; negative for types of varying size. */
  readonly typeSize: number;
  readonly typeModifier: number;
  /** 0 text, 1 binary; 0 too where it isn't known yet (Describe of a statement). */
  readonly format: number;
}

/** An empty name's NUL and the fixed fields. */
const MIN_COLUMN_BYTES = 19;

/**
 * RowDescription (B): the columns of the rows that follow.
 *
 *     Byte1('T')  Int32 length  Int16 count
 *     (String name  Int32 table OID  Int16 attribute  Int32 type OID  Int16 type size  Int32 type modifier  Int16 format)[count]
 */
export interface RowDescription {
  readonly kind: 'rowDescription';
  readonly columns: readonly ColumnDescription[];
}

export function decodeRowDescription(body: Buffer): RowDescription {
  const reader = new BodyReader(body, 'RowDescription');
  const count = reader.count(MIN_COLUMN_BYTES);
  const columns: ColumnDescription[] = [];
  for (let i = 0; i < count; i += 1) {
    columns.push({
      name: reader.serverString(),
      tableOid: reader.uint32(),
      attribute: reader.int16(),
      typeOid: reader.uint32(),
      typeSize: reader.int16(),
      typeModifier: reader.int32(),
      format: reader.int16(),
    });
  }
  reader.end();
  return { kind: 'rowDescription', columns };
}

export function encodeRowDescription(message: RowDescription): Buffer {
  const writer = new FrameWriter(BackendType.rowDescription);
  writer.count(message.columns.length);
  for (const column of message.columns) {
    writer.cstring(column.name).uint32(column.tableOid).int16(column.attribute).uint32(column.typeOid);
    writer.int16(column.typeSize).int32(column.typeModifier).int16(column.format);
  }
  return writer.finish();
}
