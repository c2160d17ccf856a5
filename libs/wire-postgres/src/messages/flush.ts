import { requireEmpty } from '../body-reader.js';
import { emptyFrame } from '../frame-writer.js';
import { FrontendType } from '../message-types.js';

/**
 * Flush (F): deliver what is pending, without a Sync.
 *
 *     Byte1('H')  Int32(4)
 */
export interface Flush {
  readonly kind: 'flush';
}

const MESSAGE: Flush = Object.freeze({ kind: 'flush' });

export function decodeFlush(body: Buffer): Flush {
  requireEmpty(body, 'Flush');
  return MESSAGE;
}

export function encodeFlush(_message?: Flush): Buffer {
  return emptyFrame(FrontendType.flush);
}
