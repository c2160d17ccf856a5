import { GATHERING_LIMITS } from './gathering.js';
import type { RequestSenderLimits } from './request-sender.js';

export interface BusClientLimits extends RequestSenderLimits {
  /** How long one request waits for its (first and last) answer, unless it says otherwise. */
  readonly requestTimeoutMs: number;
  /** Requests that wait. The next is refused with `BUS_TOO_MANY_REQUESTS`. */
  readonly maxOutstandingRequests: number;
  /** Of one payload that is sent (`BUS_PAYLOAD_TOO_LARGE`), and of a reply record, which is not even verified when it is larger. */
  readonly maxRecordBytes: number;
}

export const BUS_CLIENT_LIMITS: BusClientLimits = {
  requestTimeoutMs: 5000,
  maxOutstandingRequests: 1024,
  ...GATHERING_LIMITS,
  maxRecordBytes: 4 * 2 ** 20,
  maxRecordsInFlight: 4,
  partitionsMaxAgeMs: 5 * 60_000,
};
