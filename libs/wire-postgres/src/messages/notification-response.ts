import { BodyReader } from '../body-reader.js';
import { FrameWriter } from '../frame-writer.js';
import { BackendType } from '../message-types.js';

/**
 * NotificationResponse (B): a NOTIFY that this session listens for; may come at any time.
 *
 *     Byte1('A')  Int32 length  Int32 process  String channel  String payload
 */
export interface NotificationResponse {
  readonly kind: 'notificationResponse';
  /** Of the session that notified. */
  readonly processId: number;
  readonly channel: string;
  readonly payload: string;
}

export function decodeNotificationResponse(body: Buffer): NotificationResponse {
  const reader = new BodyReader(body, 'NotificationResponse');
  const processId = reader.int32();
  const channel = reader.serverString();
  const payload = reader.serverString();
  reader.end();
  return { kind: 'notificationResponse', processId, channel, payload };
}

export function encodeNotificationResponse(message: NotificationResponse): Buffer {
  return new FrameWriter(BackendType.notificationResponse)
    .int32(message.processId)
    .cstring(message.channel)
    .cstring(message.payload)
    .finish();
}
