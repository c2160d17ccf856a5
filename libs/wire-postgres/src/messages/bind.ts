import { BodyReader } from '../body-reader.js';
import { FrameWriter } from '../frame-writer.js';
import { FrontendType } from '../message-types.js';
import { readFormats, writeFormats } from './formats.js';

/**
 * Bind (F): makes a portal of a prepared statement and its parameters.
 *
 *     Byte1('B')  Int32 length  String portal  String statement
 *     Int16 count  Int16 parameter format [count]
 *     Int16 count  (Int32 length or −1, Byte n)[count]
 *     Int16 count  Int16 result format [count]
 */
export interface Bind {
  readonly kind: 'bind';
  /** Empty: the unnamed portal. */
  readonly portal: string;
  readonly statement: string;
  /** 0 text, 1 binary. None: all text; one: for all. */
  readonly parameterFormats: readonly number[];
  readonly parameters: readonly (Buffer | null)[];
  readonly resultFormats: readonly number[];
}

export function decodeBind(body: Buffer): Bind {
  const reader = new BodyReader(body, 'Bind');
  const portal = reader.clientString();
  const statement = reader.clientString();
  const parameterFormats = readFormats(reader);
  const count = reader.count(4);
  const parameters: (Buffer | null)[] = [];
  for (let i = 0; i < count; i += 1) parameters.push(reader.value());
  const resultFormats = readFormats(reader);
  reader.end();
  return { kind: 'bind', portal, statement, parameterFormats, parameters, resultFormats };
}

export function encodeBind(message: Bind): Buffer {
  const writer = new FrameWriter(FrontendType.bind);
  writer.cstring(message.portal).cstring(message.statement);
  writeFormats(writer, message.parameterFormats);
  writer.count(message.parameters.length);
  for (const parameter of message.parameters) writer.value(parameter);
  writeFormats(writer, message.resultFormats);
  return writer.finish();
}
