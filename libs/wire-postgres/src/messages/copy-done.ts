import { requireEmpty } from '../body-reader.js';
import { emptyFrame } from '../frame-writer.js';
import { BackendType } from '../message-types.js';

/**
 * CopyDone (F and B): the copy data is complete.
 *
 *     Byte1('c')  Int32(4)
 */
export interface CopyDone {
  readonly kind: 'copyDone';
}

const MESSAGE: CopyDone = Object.freeze({ kind: 'copyDone' });

export function decodeCopyDone(body: Buffer): CopyDone {
  requireEmpty(body, 'CopyDone');
  return MESSAGE;
}

export function encodeCopyDone(_message?: CopyDone): Buffer {
  return emptyFrame(BackendType.copyDone);
}
