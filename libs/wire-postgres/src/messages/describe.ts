import { BodyReader } from '../body-reader.js';
import { FrameWriter } from '../frame-writer.js';
import { FrontendType } from '../message-types.js';
import { readTarget, type Target, writeTarget } from './target.js';

/**
 * Describe (F): asks for the shape of a prepared statement or a portal.
 *
 *     Byte1('D')  Int32 length  Byte1('S' | 'P')  String name
 */
export interface Describe {
  readonly kind: 'describe';
  readonly target: Target;
  /** Empty: the unnamed one. */
  readonly name: string;
}

export function decodeDescribe(body: Buffer): Describe {
  const reader = new BodyReader(body, 'Describe');
  const target = readTarget(reader);
  const name = reader.clientString();
  reader.end();
  return { kind: 'describe', target, name };
}

export function encodeDescribe(message: Describe): Buffer {
  const writer = new FrameWriter(FrontendType.describe);
  return writeTarget(writer, message.target).cstring(message.name).finish();
}
