import { BodyReader } from '../body-reader.js';
import { FrameWriter } from '../frame-writer.js';
import { BackendType } from '../message-types.js';

/**
 * CommandComplete (B): a statement is done.
 *
 *     Byte1('C')  Int32 length  String tag
 */
export interface CommandComplete {
  readonly kind: 'commandComplete';
  /** Such as `SELECT 3` or `INSERT 0 1`. */
  readonly tag: string;
}

export function decodeCommandComplete(body: Buffer): CommandComplete {
  const reader = new BodyReader(body, 'CommandComplete');
  const tag = reader.serverString();
  reader.end();
  return { kind: 'commandComplete', tag };
}

export function encodeCommandComplete(message: CommandComplete): Buffer {
  return new FrameWriter(BackendType.commandComplete).cstring(message.tag).finish();
}
