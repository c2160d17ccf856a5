import { WireError } from './wire-error.js';

/** Of the secret in BackendKeyData and CancelRequest (chapter 'Message Formats'). Protocol 3.0 knows 4 bytes only. */
export const MIN_CANCEL_KEY_BYTES = 4;
export const MAX_CANCEL_KEY_BYTES = 256;

export function isCancelKey(secret: Uint8Array): boolean {
  return secret.length >= MIN_CANCEL_KEY_BYTES && secret.length <= MAX_CANCEL_KEY_BYTES;
}

/** Throws {@link WireError} `WIRE_VALUE_OUT_OF_RANGE`. */
export function requireCancelKey(secret: Buffer): Buffer {
  if (!isCancelKey(secret)) throw new WireError('WIRE_VALUE_OUT_OF_RANGE', 'a cancel key of the wrong length');
  return secret;
}
