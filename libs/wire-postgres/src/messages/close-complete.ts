import { requireEmpty } from '../body-reader.js';
import { emptyFrame } from '../frame-writer.js';
import { BackendType } from '../message-types.js';

/**
 * CloseComplete (B): a Close succeeded.
 *
 *     Byte1('3')  Int32(4)
 */
export interface CloseComplete {
  readonly kind: 'closeComplete';
}

const MESSAGE: CloseComplete = Object.freeze({ kind: 'closeComplete' });

export function decodeCloseComplete(body: Buffer): CloseComplete {
  requireEmpty(body, 'CloseComplete');
  return MESSAGE;
}

export function encodeCloseComplete(_message?: CloseComplete): Buffer {
  return emptyFrame(BackendType.closeComplete);
}
