import { BodyReader } from '../body-reader.js';
import { FrameWriter } from '../frame-writer.js';
import { BackendType } from '../message-types.js';
import { type ErrorFields, readErrorFields, writeErrorFields } from './error-fields.js';

/**
 * NoticeResponse (B): a warning or a notice; may come at any time.
 *
 *     Byte1('N')  Int32 length  fields (see {@link ErrorFields})
 */
export interface NoticeResponse {
  readonly kind: 'noticeResponse';
  readonly fields: ErrorFields;
}

export function decodeNoticeResponse(body: Buffer): NoticeResponse {
  return { kind: 'noticeResponse', fields: readErrorFields(new BodyReader(body, 'NoticeResponse')) };
}

export function encodeNoticeResponse(message: NoticeResponse): Buffer {
  const writer = new FrameWriter(BackendType.noticeResponse);
  return writeErrorFields(writer, message.fields).finish();
}
