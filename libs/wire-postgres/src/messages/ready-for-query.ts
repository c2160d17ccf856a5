import { BodyReader } from '../body-reader.js';
import { FrameWriter } from '../frame-writer.js';
import { BackendType } from '../message-types.js';

/** `I` idle, `T` in a transaction, `E` in a failed one. */
export type TransactionStatus = 'I' | 'T' | 'E';

/**
 * ReadyForQuery (B): the server has answered everything and waits.
 *
 *     Byte1('Z')  Int32(5)  Byte1('I' | 'T' | 'E')
 */
export interface ReadyForQuery {
  readonly kind: 'readyForQuery';
  readonly status: TransactionStatus;
}

const STATUS: ReadonlyMap<number, TransactionStatus> = new Map([
  [0x49, 'I'],
  [0x54, 'T'],
  [0x45, 'E'],
]);

export function decodeReadyForQuery(body: Buffer): ReadyForQuery {
  const reader = new BodyReader(body, 'ReadyForQuery');
  const status = STATUS.get(reader.uint8());
  if (status === undefined) throw reader.malformed('an unknown transaction status');
  reader.end();
  return { kind: 'readyForQuery', status };
}

export function encodeReadyForQuery(message: ReadyForQuery): Buffer {
  return new FrameWriter(BackendType.readyForQuery).uint8(message.status.charCodeAt(0)).finish();
}
