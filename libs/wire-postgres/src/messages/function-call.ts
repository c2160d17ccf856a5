import { BodyReader } from '../body-reader.js';
import { FrameWriter } from '../frame-writer.js';
import { FrontendType } from '../message-types.js';
import { readFormats, writeFormats } from './formats.js';

/**
 * FunctionCall (F): calls a function by its OID, past every statement (chapter 'Function Call').
 *
 *     Byte1('F')  Int32 length  Int32 function OID
 *     Int16 count  Int16 argument format [count]
 *     Int16 count  (Int32 length or −1, Byte n)[count]
 *     Int16 result format
 */
export interface FunctionCall {
  readonly kind: 'functionCall';
  readonly functionOid: number;
  readonly argumentFormats: readonly number[];
  readonly arguments: readonly (Buffer | null)[];
  readonly resultFormat: number;
}

export function decodeFunctionCall(body: Buffer): FunctionCall {
  const reader = new BodyReader(body, 'FunctionCall');
  const functionOid = reader.uint32();
  const argumentFormats = readFormats(reader);
  const count = reader.count(4);
  const args: (Buffer | null)[] = [];
  for (let i = 0; i < count; i += 1) args.push(reader.value());
  const resultFormat = reader.int16();
  reader.end();
  return { kind: 'functionCall', functionOid, argumentFormats, arguments: args, resultFormat };
}

export function encodeFunctionCall(message: FunctionCall): Buffer {
  const writer = new FrameWriter(FrontendType.functionCall);
  writer.uint32(message.functionOid);
  writeFormats(writer, message.argumentFormats);
  writer.count(message.arguments.length);
  for (const argument of message.arguments) writer.value(argument);
  return writer.int16(message.resultFormat).finish();
}
