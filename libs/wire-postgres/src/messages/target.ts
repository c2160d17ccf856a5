import type { BodyReader } from '../body-reader.js';
import type { FrameWriter } from '../frame-writer.js';

/**
 * What Describe and Close name:
 *
 *     Byte1('S' statement | 'P' portal)  String name
 */
export type Target = 'statement' | 'portal';

const STATEMENT = 0x53;
const PORTAL = 0x50;

export function readTarget(reader: BodyReader): Target {
  const byte = reader.uint8();
  if (byte === STATEMENT) return 'statement';
  if (byte === PORTAL) return 'portal';
  throw reader.malformed('neither a statement nor a portal');
}

export function writeTarget(writer: FrameWriter, target: Target): FrameWriter {
  return writer.uint8(target === 'statement' ? STATEMENT : PORTAL);
}
