import { BodyReader } from '../body-reader.js';
import { FrameWriter } from '../frame-writer.js';
import { FrontendType } from '../message-types.js';

/**
 * Parse (F): makes a prepared statement.
 *
 *     Byte1('P')  Int32 length  String statement name  String query
 *     Int16 count  Int32 parameter type OID [count]
 */
export interface Parse {
  readonly kind: 'parse';
  /** Empty: the unnamed statement. */
  readonly statement: string;
  /** As sent, without the NUL; {@link decodeText} makes a string of it, or refuses. */
  readonly sql: Buffer;
  /** 0 leaves the type to the server. May be shorter than the list of parameters. */
  readonly parameterTypes: readonly number[];
}

export function decodeParse(body: Buffer): Parse {
  const reader = new BodyReader(body, 'Parse');
  const statement = reader.clientString();
  const sql = reader.cstringBytes();
  const count = reader.count(4);
  const parameterTypes: number[] = [];
  for (let i = 0; i < count; i += 1) parameterTypes.push(reader.uint32());
  reader.end();
  return { kind: 'parse', statement, sql, parameterTypes };
}

export function encodeParse(message: Parse): Buffer {
  const writer = new FrameWriter(FrontendType.parse);
  writer.cstring(message.statement).cstring(message.sql).count(message.parameterTypes.length);
  for (const oid of message.parameterTypes) writer.uint32(oid);
  return writer.finish();
}
