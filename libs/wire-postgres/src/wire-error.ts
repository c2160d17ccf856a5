/**
 * What can be wrong with bytes, or with a message that should become bytes.
 *
 * - `WIRE_FRAME_TOO_LARGE`: a frame's length is over the limit that the caller gave.
 * - `WIRE_FRAME_LENGTH`: a frame's length can't be (less than what holds the length itself, or not what its kind needs).
 * - `WIRE_MESSAGE_MALFORMED`: a body doesn't follow the grammar of its type.
 * - `WIRE_TEXT_NOT_UTF8`: text from a client isn't UTF-8.
 * - `WIRE_VALUE_OUT_OF_RANGE`: a value has no encoding: a NUL inside a string, a count over 65535, a key of the wrong length.
 * - `WIRE_SASL_MALFORMED`: a SASL message doesn't follow its mechanism.
 */
export type WireErrorCode =
  | 'WIRE_FRAME_TOO_LARGE'
  | 'WIRE_FRAME_LENGTH'
  | 'WIRE_MESSAGE_MALFORMED'
  | 'WIRE_TEXT_NOT_UTF8'
  | 'WIRE_VALUE_OUT_OF_RANGE'
  | 'WIRE_SASL_MALFORMED';

/** The message names the place and never quotes what was there: it may be a password. */
export class WireError extends Error {
  readonly code: WireErrorCode;

  constructor(code: WireErrorCode, message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.name = 'WireError';
    this.code = code;
  }
}
