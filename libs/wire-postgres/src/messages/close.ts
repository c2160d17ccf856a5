import { BodyReader } from '../body-reader.js';
import { FrameWriter } from '../frame-writer.js';
import { FrontendType } from '../message-types.js';
import { readTarget, type Target, writeTarget } from './target.js';

/**
 * Close (F): drops a prepared statement or a portal.
 *
 *     Byte1('C')  Int32 length  Byte1('S' | 'P')  String name
 */
export interface Close {
  readonly kind: 'close';
  readonly target: Target;
  /** Empty: the unnamed one. */
  readonly name: string;
}

export function decodeClose(body: Buffer): Close {
  const reader = new BodyReader(body, 'Close');
  const target = readTarget(reader);
  const name = reader.clientString();
  reader.end();
  return { kind: 'close', target, name };
}

export function encodeClose(message: Close): Buffer {
  const writer = new FrameWriter(FrontendType.close);
  return writeTarget(writer, message.target).cstring(message.name).finish();
}
