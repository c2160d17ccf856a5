import { BodyReader } from '../body-reader.js';
import { FrameWriter } from '../frame-writer.js';
import { BackendType } from '../message-types.js';

/**
 * ParameterDescription (B): the parameter types of a prepared statement.
 *
 *     Byte1('t')  Int32 length  Int16 count  Int32 type OID [count]
 */
export interface ParameterDescription {
  readonly kind: 'parameterDescription';
  readonly types: readonly number[];
}

export function decodeParameterDescription(body: Buffer): ParameterDescription {
  const reader = new BodyReader(body, 'ParameterDescription');
  const count = reader.count(4);
  const types: number[] = [];
  for (let i = 0; i < count; i += 1) types.push(reader.uint32());
  reader.end();
  return { kind: 'parameterDescription', types };
}

export function encodeParameterDescription(message: ParameterDescription): Buffer {
  const writer = new FrameWriter(BackendType.parameterDescription);
  writer.count(message.types.length);
  for (const oid of message.types) writer.uint32(oid);
  return writer.finish();
}
