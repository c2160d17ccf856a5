import { RequestError, type WireError } from './request-error.js';

/** Headers of a request: `id` and `client` come back with each reply, which goes to `partition` of the service's reply topic. */
export interface RequestHeaders extends Readonly<Record<string, string>> {
  readonly pattern: string;
  readonly id: string;
  readonly client: string;
  readonly partition: string;
  /** Milliseconds since the epoch. Afterwards nobody waits for the answer, and it must not be handled. */
  readonly deadline: string;
}

/** The payload of a reply. A stream has several, the last one disposed. */
export interface Reply {
  readonly response?: unknown;
  readonly error?: WireError;
  readonly isDisposed?: boolean;
}

export const requestsTopic = (service: string): string => `sallyport.${service}.requests`;
export const repliesTopic = (service: string): string => `sallyport.${service}.replies`;

/** Throws `BUS_PAYLOAD_MALFORMED`. */
export function encodeJson(value: unknown): Buffer {
  let text: string | undefined;
  try {
    text = JSON.stringify(value);
  } catch (error) {
    throw new RequestError('BUS_PAYLOAD_MALFORMED', 'the payload can not be made JSON', { cause: error });
  }
  if (text === undefined) throw new RequestError('BUS_PAYLOAD_MALFORMED', 'the payload can not be made JSON');
  return Buffer.from(text);
}

/** Throws `BUS_PAYLOAD_MALFORMED`; never quotes the payload. */
export function decodeJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString());
  } catch {
    // The parser's own message quotes what it read.
    throw new RequestError('BUS_PAYLOAD_MALFORMED', 'the payload is not JSON');
  }
}

/** A request's headers, read. */
export interface RequestEnvelope {
  readonly pattern: string;
  readonly id: string;
  readonly client: string;
  readonly replyPartition: number;
  readonly deadlineMs: number;
}

/** Undefined when something is missing: then there is nobody to answer. */
export function readRequestHeaders(headers: Readonly<Record<string, string>>): RequestEnvelope | undefined {
  const { pattern, id, client, partition = '', deadline = '' } = headers;
  if (pattern === undefined || !id || !client || !/^\d{1,6}$/.test(partition) || !/^\d{1,15}$/.test(deadline)) return undefined;
  return { pattern, id, client, replyPartition: Number(partition), deadlineMs: Number(deadline) };
}
