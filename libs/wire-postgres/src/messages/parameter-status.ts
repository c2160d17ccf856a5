import { BodyReader } from '../body-reader.js';
import { FrameWriter } from '../frame-writer.js';
import { BackendType } from '../message-types.js';

/**
 * ParameterStatus (B): a setting's value, at sign-in and whenever it changes.
 *
 *     Byte1('S')  Int32 length  String name  String value
 */
export interface ParameterStatus {
  readonly kind: 'parameterStatus';
  readonly name: string;
  readonly value: string;
}

export function decodeParameterStatus(body: Buffer): ParameterStatus {
  const reader = new BodyReader(body, 'ParameterStatus');
  const name = reader.serverString();
  const value = reader.serverString();
  reader.end();
  return { kind: 'parameterStatus', name, value };
}

export function encodeParameterStatus(message: ParameterStatus): Buffer {
  return new FrameWriter(BackendType.parameterStatus).cstring(message.name).cstring(message.value).finish();
}
