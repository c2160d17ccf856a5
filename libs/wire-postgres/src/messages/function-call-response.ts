import { BodyReader } from '../body-reader.js';
import { FrameWriter } from '../frame-writer.js';
import { BackendType } from '../message-types.js';

/**
 * FunctionCallResponse (B): the result of a FunctionCall.
 *
 *     Byte1('V')  Int32 length  Int32 length or −1  Byte n value
 */
export interface FunctionCallResponse {
  readonly kind: 'functionCallResponse';
  readonly value: Buffer | null;
}

export function decodeFunctionCallResponse(body: Buffer): FunctionCallResponse {
  const reader = new BodyReader(body, 'FunctionCallResponse');
  const value = reader.value();
  reader.end();
  return { kind: 'functionCallResponse', value };
}

export function encodeFunctionCallResponse(message: FunctionCallResponse): Buffer {
  return new FrameWriter(BackendType.functionCallResponse).value(message.value).finish();
}
