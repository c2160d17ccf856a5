import { requireEmpty } from '../body-reader.js';
import { emptyFrame } from '../frame-writer.js';
import { FrontendType } from '../message-types.js';

/**
 * Terminate (F): the client leaves.
 *
 *     Byte1('X')  Int32(4)
 */
export interface Terminate {
  readonly kind: 'terminate';
}

const MESSAGE: Terminate = Object.freeze({ kind: 'terminate' });

export function decodeTerminate(body: Buffer): Terminate {
  requireEmpty(body, 'Terminate');
  return MESSAGE;
}

export function encodeTerminate(_message?: Terminate): Buffer {
  return emptyFrame(FrontendType.terminate);
}
