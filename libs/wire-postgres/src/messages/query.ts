import { BodyReader } from '../body-reader.js';
import { FrameWriter } from '../frame-writer.js';
import { FrontendType } from '../message-types.js';

/**
 * Query (F): one or more statements in one string, run as a whole.
 *
 *     Byte1('Q')  Int32 length  String statements
 */
export interface Query {
  readonly kind: 'query';
  /** As sent, without the NUL; {@link decodeText} makes a string of it, or refuses. */
  readonly sql: Buffer;
}

export function decodeQuery(body: Buffer): Query {
  const reader = new BodyReader(body, 'Query');
  const sql = reader.cstringBytes();
  reader.end();
  return { kind: 'query', sql };
}

export function encodeQuery(message: Query): Buffer {
  return new FrameWriter(FrontendType.query).cstring(message.sql).finish();
}
