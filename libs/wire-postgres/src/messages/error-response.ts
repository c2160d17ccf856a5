import { BodyReader } from '../body-reader.js';
import { FrameWriter } from '../frame-writer.js';
import { BackendType } from '../message-types.js';
import { type ErrorFields, readErrorFields, writeErrorFields } from './error-fields.js';

/**
 * ErrorResponse (B): a statement, or the connection, failed.
 *
 *     Byte1('E')  Int32 length  fields (see {@link ErrorFields})
 */
export interface ErrorResponse {
  readonly kind: 'errorResponse';
  readonly fields: ErrorFields;
}

export function decodeErrorResponse(body: Buffer): ErrorResponse {
  return { kind: 'errorResponse', fields: readErrorFields(new BodyReader(body, 'ErrorResponse')) };
}

export function encodeErrorResponse(message: ErrorResponse): Buffer {
  const writer = new FrameWriter(BackendType.errorResponse);
  return writeErrorFields(writer, message.fields).finish();
}
