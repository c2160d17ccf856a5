import { requireEmpty } from '../body-reader.js';
import { emptyFrame } from '../frame-writer.js';
import { BackendType } from '../message-types.js';

/**
 * ParseComplete (B): a Parse succeeded.
 *
 *     Byte1('1')  Int32(4)
 */
export interface ParseComplete {
  readonly kind: 'parseComplete';
}

const MESSAGE: ParseComplete = Object.freeze({ kind: 'parseComplete' });

export function decodeParseComplete(body: Buffer): ParseComplete {
  requireEmpty(body, 'ParseComplete');
  return MESSAGE;
}

export function encodeParseComplete(_message?: ParseComplete): Buffer {
  return emptyFrame(BackendType.parseComplete);
}
