/**
 * CloudEvents 1.0, structured JSON. A fact in the past tense that never changes.
 * `id` is `STREAM:SEQUENCE`; `source` the edge or service that wrote it (`/edge/NAME`); `subject` the principal's subject.
 */
export interface Envelope<Type extends string = string, Data = unknown> {
  readonly specversion: '1.0';
  readonly id: string;
  readonly source: string;
  readonly type: Type;
  readonly subject: string;
  /** RFC 3339, UTC, with milliseconds. */
  readonly time: string;
  readonly datacontenttype: 'application/json';
  /** Extension attributes of the session stream. */
  readonly sessionid?: string;
  /** From 0, without gaps. CloudEvents integers are 32 bit. */
  readonly sequence?: number;
  /** Lowercase hex SHA-256 of the bytes of the event before it in the stream; 64 zeros for the first. */
  readonly prev?: string;
  readonly data: Data;
}
