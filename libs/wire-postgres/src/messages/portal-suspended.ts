import { requireEmpty } from '../body-reader.js';
import { emptyFrame } from '../frame-writer.js';
import { BackendType } from '../message-types.js';

/**
 * PortalSuspended (B): an Execute's row limit was reached; the portal can be executed on.
 *
 *     Byte1('s')  Int32(4)
 */
export interface PortalSuspended {
  readonly kind: 'portalSuspended';
}

const MESSAGE: PortalSuspended = Object.freeze({ kind: 'portalSuspended' });

export function decodePortalSuspended(body: Buffer): PortalSuspended {
  requireEmpty(body, 'PortalSuspended');
  return MESSAGE;
}

export function encodePortalSuspended(_message?: PortalSuspended): Buffer {
  return emptyFrame(BackendType.portalSuspended);
}
