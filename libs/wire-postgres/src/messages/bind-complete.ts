import { requireEmpty } from '../body-reader.js';
import { emptyFrame } from '../frame-writer.js';
import { BackendType } from '../message-types.js';

/**
 * BindComplete (B): a Bind succeeded.
 *
 *     Byte1('2')  Int32(4)
 */
export interface BindComplete {
  readonly kind: 'bindComplete';
}

const MESSAGE: BindComplete = Object.freeze({ kind: 'bindComplete' });

export function decodeBindComplete(body: Buffer): BindComplete {
  requireEmpty(body, 'BindComplete');
  return MESSAGE;
}

export function encodeBindComplete(_message?: BindComplete): Buffer {
  return emptyFrame(BackendType.bindComplete);
}
