import { BodyReader } from '../body-reader.js';
import { FrameWriter } from '../frame-writer.js';
import { FrontendType } from '../message-types.js';

/**
 * Execute (F): runs a portal.
 *
 *     Byte1('E')  Int32 length  String portal  Int32 row limit
 */
export interface Execute {
  readonly kind: 'execute';
  readonly portal: string;
  /** 0 (or less): no limit. */
  readonly maxRows: number;
}

export function decodeExecute(body: Buffer): Execute {
  const reader = new BodyReader(body, 'Execute');
  const portal = reader.clientString();
  const maxRows = reader.int32();
  reader.end();
  return { kind: 'execute', portal, maxRows };
}

export function encodeExecute(message: Execute): Buffer {
  return new FrameWriter(FrontendType.execute).cstring(message.portal).int32(message.maxRows).finish();
}
