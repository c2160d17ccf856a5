import { BusError, type BusErrorCode } from '@sallyport/bus';

/** Error codes of the protocol that somebody here decides by (kafka.apache.org/protocol, Error Codes). */
const NAMES: Readonly<Record<number, string>> = {
  [-1]: 'UNKNOWN_SERVER_ERROR',
  1: 'OFFSET_OUT_OF_RANGE',
  2: 'CORRUPT_MESSAGE',
  3: 'UNKNOWN_TOPIC_OR_PARTITION',
  5: 'LEADER_NOT_AVAILABLE',
  6: 'NOT_LEADER_OR_FOLLOWER',
  7: 'REQUEST_TIMED_OUT',
  8: 'BROKER_NOT_AVAILABLE',
  9: 'REPLICA_NOT_AVAILABLE',
  10: 'MESSAGE_TOO_LARGE',
  13: 'NETWORK_EXCEPTION',
  14: 'COORDINATOR_LOAD_IN_PROGRESS',
  15: 'COORDINATOR_NOT_AVAILABLE',
  16: 'NOT_COORDINATOR',
  17: 'INVALID_TOPIC_EXCEPTION',
  18: 'RECORD_LIST_TOO_LARGE',
  19: 'NOT_ENOUGH_REPLICAS',
  20: 'NOT_ENOUGH_REPLICAS_AFTER_APPEND',
  22: 'ILLEGAL_GENERATION',
  25: 'UNKNOWN_MEMBER_ID',
  26: 'INVALID_SESSION_TIMEOUT',
  27: 'REBALANCE_IN_PROGRESS',
  29: 'TOPIC_AUTHORIZATION_FAILED',
  30: 'GROUP_AUTHORIZATION_FAILED',
  31: 'CLUSTER_AUTHORIZATION_FAILED',
  32: 'INVALID_TIMESTAMP',
  35: 'UNSUPPORTED_VERSION',
  36: 'TOPIC_ALREADY_EXISTS',
  37: 'INVALID_PARTITIONS',
  38: 'INVALID_REPLICATION_FACTOR',
  40: 'INVALID_CONFIG',
  41: 'NOT_CONTROLLER',
  42: 'INVALID_REQUEST',
  44: 'POLICY_VIOLATION',
  45: 'OUT_OF_ORDER_SEQUENCE_NUMBER',
  46: 'DUPLICATE_SEQUENCE_NUMBER',
  47: 'INVALID_PRODUCER_EPOCH',
  49: 'INVALID_PRODUCER_ID_MAPPING',
  51: 'CONCURRENT_TRANSACTIONS',
  54: 'SECURITY_DISABLED',
  56: 'KAFKA_STORAGE_ERROR',
  58: 'SASL_AUTHENTICATION_FAILED',
  59: 'UNKNOWN_PRODUCER_ID',
  68: 'NON_EMPTY_GROUP',
  74: 'FENCED_LEADER_EPOCH',
  75: 'UNKNOWN_LEADER_EPOCH',
  78: 'OFFSET_NOT_AVAILABLE',
  79: 'MEMBER_ID_REQUIRED',
  82: 'FENCED_INSTANCE_ID',
  87: 'INVALID_RECORD',
  89: 'THROTTLING_QUOTA_EXCEEDED',
  90: 'PRODUCER_FENCED',
};

/** What passes by itself: the next try may find another leader, a broker that is back, replicas that have caught up. */
const PASSING = new Set(
  [2, 3, 5, 6, 7, 8, 9, 13, 14, 15, 16, 19, 20, 41, 51, 56, 74, 75, 78, 89].map((code) => NAMES[code]!).concat('AWAY', 'TIMEOUT'),
);

/** The broker counts this producer's records otherwise than we do: only a new producer id gets on. */
const SEQUENCE = new Set([45, 46, 47, 49, 59, 90].map((code) => NAMES[code]!));

const BUS_CODES: Readonly<Record<string, BusErrorCode>> = {
  UNKNOWN_TOPIC_OR_PARTITION: 'BUS_TOPIC',
  INVALID_TOPIC_EXCEPTION: 'BUS_TOPIC',
  OFFSET_OUT_OF_RANGE: 'BUS_OFFSET_OUT_OF_RANGE',
  MESSAGE_TOO_LARGE: 'BUS_RECORD_TOO_LARGE',
  RECORD_LIST_TOO_LARGE: 'BUS_RECORD_TOO_LARGE',
  CORRUPT_RECORD: 'BUS_CORRUPT',
};

/**
 * A refusal of the broker by its protocol name, or one of ours: `AWAY` (no connection), `TIMEOUT` (no answer), `SIGN_IN` (credentials or
 * certificate), `CORRUPT_RECORD` (bytes that don't fit their checksum), `CLOSED`.
 */
export class KafkaFault extends Error {
  override readonly name = 'KafkaFault';

  constructor(
    readonly code: string,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }

  /** Of an error code in an answer. */
  static of(code: number, what: string): KafkaFault {
    const name = NAMES[code] ?? `KAFKA_${code}`;
    return new KafkaFault(name, `${what}: the broker says ${name}`);
  }

  get passes(): boolean {
    return PASSING.has(this.code);
  }

  get isAboutSequence(): boolean {
    return SEQUENCE.has(this.code);
  }
}

/** Throws the fault of an answer's error code, unless it is 0. */
export function check(code: number, what: string): void {
  if (code !== 0) throw KafkaFault.of(code, what);
}

export function passes(error: unknown): boolean {
  return error instanceof KafkaFault && error.passes;
}

/** The same trouble in the bus's words. */
export function asBusError(error: unknown): unknown {
  if (!(error instanceof KafkaFault)) return error;
  return new BusError(BUS_CODES[error.code] ?? (error.code === 'CLOSED' ? 'BUS_CLOSED' : 'BUS_FAILED'), error.message, { cause: error });
}
