import type { REQUEST_SERVICES } from '@sallyport/bus';
import { RequestError, type WireError } from './request-error.js';

export type RequestService = (typeof REQUEST_SERVICES)[number];

/**
 * The value of a record on `sallyport.SERVICE.requests`: JSON, and everything is in it, as the record is signed as a whole. Replies to it
 * come under the key `client` to `partition` of the reply topic.
 */
export interface RequestRecord {
  /** A UUID of this client alone. */
  readonly client: string;
  readonly partition: number;
  /** Milliseconds since the epoch by the client's clock, which need not be ours. */
  readonly sentAtMs: number;
  readonly requests: readonly WireRequest[];
}

export interface WireRequest {
  /** Counts a client's requests from 0. Sent once more it keeps its number. */
  readonly id: number;
  /** The partition that it was sent to first: within one the numbers only grow. */
  readonly lane: number;
  readonly pattern: string;
  /** How long somebody waits, from `sentAtMs` on. */
  readonly timeoutMs: number;
  readonly data: unknown;
}

/** The value of a record on `sallyport.SERVICE.replies`, under the key `client`. */
export interface ReplyRecord {
  /** The name of the service that asked: nobody is told what another one wanted to know. */
  readonly to: string;
  readonly client: string;
  /** A UUID of the answering process: of two that answer the same request one is heard. */
  readonly server: string;
  readonly replies: readonly WireReply[];
}

export interface WireReply {
  readonly id: number;
  /** Counts the replies to one request from 0. A stream has several. */
  readonly n: number;
  readonly last: boolean;
  readonly data?: unknown;
  readonly error?: WireError;
}

export const requestsTopic = (service: string): string => `sallyport.${service}.requests`;
export const repliesTopic = (service: string): string => `sallyport.${service}.replies`;

/** The JSON of it, if there is any. Throws `BUS_PAYLOAD_MALFORMED`. */
export function jsonOf(value: unknown): string | undefined {
  try {
    return JSON.stringify(value);
  } catch (error) {
    throw new RequestError('BUS_PAYLOAD_MALFORMED', 'the payload can not be made JSON', { cause: error });
  }
}

/** Throws `BUS_PAYLOAD_MALFORMED`. */
export function encodeJson(value: unknown): Buffer {
  const text = jsonOf(value);
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

/** @param items  JSON already, each made once: with {@link requestJson}. */
export function encodeRequests(head: Omit<RequestRecord, 'requests'>, items: readonly string[]): Buffer {
  return encodeList(head, 'requests', items);
}

/** @param items  JSON already, each made once: with {@link replyJson}. */
export function encodeReplies(head: Omit<ReplyRecord, 'replies'>, items: readonly string[]): Buffer {
  return encodeList(head, 'replies', items);
}

/** @param dataJson  what {@link jsonOf} made of the data. */
export function requestJson(head: Omit<WireRequest, 'data'>, dataJson: string): string {
  return `${JSON.stringify(head).slice(0, -1)},"data":${dataJson}}`;
}

export function replyJson(head: Omit<WireReply, 'data'>, dataJson: string | undefined): string {
  const text = JSON.stringify(head);
  return dataJson === undefined ? text : `${text.slice(0, -1)},"data":${dataJson}}`;
}

/** Undefined when it is none: then there is nobody to answer. */
export function decodeRequests(bytes: Buffer): RequestRecord | undefined {
  const record = objectOf(bytes);
  if (!record || !isId(record['client']) || !isCount(record['partition']) || !Number.isFinite(record['sentAtMs'])) return undefined;
  const { requests } = record;
  return Array.isArray(requests) && requests.every(isRequest) ? (record as unknown as RequestRecord) : undefined;
}

/** Undefined when it is none. */
export function decodeReplies(bytes: Buffer): ReplyRecord | undefined {
  const record = objectOf(bytes);
  if (!record || !isId(record['client']) || !isId(record['server']) || typeof record['to'] !== 'string') return undefined;
  const { replies } = record;
  return Array.isArray(replies) && replies.every(isReply) ? (record as unknown as ReplyRecord) : undefined;
}

function encodeList(head: object, name: string, items: readonly string[]): Buffer {
  return Buffer.from(`${JSON.stringify(head).slice(0, -1)},"${name}":[${items.join(',')}]}`);
}

function objectOf(bytes: Buffer): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(bytes.toString());
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;
const isId = (value: unknown): boolean => typeof value === 'string' && value.length > 0 && value.length <= 64;
const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0;

function isRequest(value: unknown): boolean {
  if (!isObject(value)) return false;
  const { id, lane, pattern, timeoutMs } = value;
  return isCount(id) && isCount(lane) && typeof pattern === 'string' && isCount(timeoutMs);
}

function isReply(value: unknown): boolean {
  if (!isObject(value)) return false;
  const { id, n, last, error } = value;
  if (!isCount(id) || !isCount(n) || typeof last !== 'boolean') return false;
  return error === undefined || (isObject(error) && typeof error['code'] === 'string' && typeof error['message'] === 'string');
}
