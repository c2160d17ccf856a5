import { requireEmpty } from '../body-reader.js';
import { emptyFrame } from '../frame-writer.js';
import { BackendType } from '../message-types.js';

/**
 * NoData (B): what was described returns no rows.
 *
 *     Byte1('n')  Int32(4)
 */
export interface NoData {
  readonly kind: 'noData';
}

const MESSAGE: NoData = Object.freeze({ kind: 'noData' });

export function decodeNoData(body: Buffer): NoData {
  requireEmpty(body, 'NoData');
  return MESSAGE;
}

export function encodeNoData(_message?: NoData): Buffer {
  return emptyFrame(BackendType.noData);
}
