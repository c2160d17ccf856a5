import { isUtf8 } from 'node:buffer';

import { WireError } from './wire-error.js';

/**
 * Text from a client, strictly: what isn't UTF-8 throws `WIRE_TEXT_NOT_UTF8`. A replacement character would let two names that
 * the server tells apart look the same to us.
 */
export function decodeText(bytes: Buffer): string {
  if (!isUtf8(bytes)) throw new WireError('WIRE_TEXT_NOT_UTF8', 'text is not UTF-8');
  return bytes.toString('utf8');
}
