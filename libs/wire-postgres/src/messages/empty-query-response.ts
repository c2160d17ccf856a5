import { requireEmpty } from '../body-reader.js';
import { emptyFrame } from '../frame-writer.js';
import { BackendType } from '../message-types.js';

/**
 * EmptyQueryResponse (B): stands for CommandComplete where the query text was empty.
 *
 *     Byte1('I')  Int32(4)
 */
export interface EmptyQueryResponse {
  readonly kind: 'emptyQueryResponse';
}

const MESSAGE: EmptyQueryResponse = Object.freeze({ kind: 'emptyQueryResponse' });

export function decodeEmptyQueryResponse(body: Buffer): EmptyQueryResponse {
  requireEmpty(body, 'EmptyQueryResponse');
  return MESSAGE;
}

export function encodeEmptyQueryResponse(_message?: EmptyQueryResponse): Buffer {
  return emptyFrame(BackendType.emptyQueryResponse);
}
