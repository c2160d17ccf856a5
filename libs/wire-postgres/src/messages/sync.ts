import { requireEmpty } from '../body-reader.js';
import { emptyFrame } from '../frame-writer.js';
import { FrontendType } from '../message-types.js';

/**
 * Sync (F): the end of a run of extended-query messages; answered by ReadyForQuery.
 *
 *     Byte1('S')  Int32(4)
 */
export interface Sync {
  readonly kind: 'sync';
}

const MESSAGE: Sync = Object.freeze({ kind: 'sync' });

export function decodeSync(body: Buffer): Sync {
  requireEmpty(body, 'Sync');
  return MESSAGE;
}

export function encodeSync(_message?: Sync): Buffer {
  return emptyFrame(FrontendType.sync);
}
