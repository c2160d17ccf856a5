export type EventErrorCode =
  | 'EVENT_MALFORMED'
  | 'EVENT_STREAM_ENDED'
  | 'EVENT_SEQUENCE_EXHAUSTED'
  | 'EVENT_SESSION_ID'
  | 'EVENT_CHUNK_MALFORMED'
  | 'EVENT_CHUNK_GAP'
  | 'EVENT_CHUNK_LIMIT'
  | 'KEY_FILE_MODE'
  | 'KEY_FILE_MALFORMED'
  | 'KEY_NAME'
  | 'KEY_VERIFIER_MALFORMED';

/** What is broken in an event, a stream, a chunk or a key file. The message never quotes the event's data or a key. */
export class EventError extends Error {
  override readonly name = 'EventError';
  constructor(
    readonly code: EventErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
