import { BusError } from '@sallyport/bus';

/** What a connection proves of us. Passwords and tokens never get into errors or logs. */
export type KafkaSasl =
  | { readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512'; readonly username: string; readonly password: string }
  | {
      readonly mechanism: 'oauthbearer';
      /** Asked at every connection, and again before the broker ends one whose token is old. */
      token(): Promise<string>;
    };

/** `true` trusts what Node trusts. PEM strings; `cert` and `key` for a broker that asks for a certificate. The broker's name is checked. */
export type KafkaTls = true | { readonly ca?: string; readonly cert?: string; readonly key?: string };

export interface KafkaLimits {
  /** TCP, TLS and sign-in of one connection. */
  readonly connectTimeoutMs: number;
  /** One answer of the broker. Behind it the connection is given up. */
  readonly requestTimeoutMs: number;
  /** `read`, `ends`, `consume` and a commit with all their retries; then they reject with `BUS_FAILED`. */
  readonly callTimeoutMs: number;
  /** `produce` with all its retries; then it rejects with `BUS_FAILED`, and nobody knows whether the records are on the log. */
  readonly produceTimeoutMs: number;
  /** `close` waits this long for what is under way, then ends it. */
  readonly closeTimeoutMs: number;
  /** Key, value and headers of one record. More is `BUS_RECORD_TOO_LARGE`. The topic's `max.message.bytes` must have room for it. */
  readonly maxRecordBytes: number;
  /** Records of `produce` calls that have not resolved. More is `BUS_BUSY`. */
  readonly maxPendingProduceBytes: number;
  /** Records in one call of `onBatch`. */
  readonly maxBatchRecords: number;
  /** Fetched at once from one partition, and held until the consumer has taken it. A single larger record comes alone. */
  readonly maxBatchBytes: number;
  /** Open consumptions of one bus. More is `BUS_BUSY`. Each has one connection per partition. */
  readonly maxConsumers: number;
  /** How long a fetch waits at the broker when there is nothing new. Not a latency: what comes is sent at once. */
  readonly fetchWaitMs: number;
  /** How often `commitSoon` reaches the broker: what a killed consumer gets again. */
  readonly commitIntervalMs: number;
  /** A member of a group that isn't heard for so long loses its partitions. */
  readonly sessionTimeoutMs: number;
  /** How soon a member learns that the group is sharing anew. */
  readonly heartbeatIntervalMs: number;
  /** How long a running batch may hold up the sharing. A longer one loses its partition while it runs, and its commit fails. */
  readonly rebalanceTimeoutMs: number;
  /** What is known of leaders and partitions is asked anew after this. */
  readonly metadataMaxAgeMs: number;
}

export const KAFKA_LIMITS: KafkaLimits = {
  connectTimeoutMs: 5000,
  requestTimeoutMs: 5000,
  callTimeoutMs: 15_000,
  produceTimeoutMs: 10_000,
  closeTimeoutMs: 10_000,
  maxRecordBytes: 2 ** 20 + 64 * 1024,
  maxPendingProduceBytes: 64 * 2 ** 20,
  maxBatchRecords: 500,
  maxBatchBytes: 2 ** 20,
  maxConsumers: 1000,
  fetchWaitMs: 2000,
  commitIntervalMs: 500,
  sessionTimeoutMs: 10_000,
  heartbeatIntervalMs: 300,
  rebalanceTimeoutMs: 60_000,
  metadataMaxAgeMs: 60_000,
};

export type KafkaLogLevel = 'debug' | 'info' | 'warn' | 'error';

export interface KafkaOptions {
  /** `host:port`. Any that answers names the others. */
  readonly brokers: readonly string[];
  readonly tls?: KafkaTls;
  readonly sasl?: KafkaSasl;
  /** What the broker's logs and quotas know us by. Default `sallyport`. */
  readonly clientId?: string;
  readonly limits?: Partial<KafkaLimits>;
  /** Nothing is logged without it. */
  log?(level: KafkaLogLevel, message: string, details: Readonly<Record<string, unknown>>): void;
}

/** Options with every default in place. */
export interface KafkaSettings extends KafkaOptions {
  readonly clientId: string;
  readonly limits: KafkaLimits;
  log(level: KafkaLogLevel, message: string, details: Readonly<Record<string, unknown>>): void;
}

const BROKER = /^(.+):(\d{1,5})$/;

/** Throws `BUS_OPTION`. */
export function kafkaSettings(options: KafkaOptions): KafkaSettings {
  const limits = { ...KAFKA_LIMITS, ...options.limits };
  const wrong = Object.entries(limits).find(([, value]) => !Number.isSafeInteger(value) || value < 1);
  if (wrong) throw new BusError('BUS_OPTION', `limit ${wrong[0]} must be a whole number above 0`);
  if (limits.heartbeatIntervalMs * 2 > limits.sessionTimeoutMs)
    throw new BusError('BUS_OPTION', 'heartbeatIntervalMs must be at most half of sessionTimeoutMs');
  if (options.brokers.length === 0) throw new BusError('BUS_OPTION', 'brokers names none');
  options.brokers.forEach(addressOf);
  return { clientId: 'sallyport', ...options, limits, log: (...line) => options.log?.(...line) };
}

export interface Address {
  readonly host: string;
  readonly port: number;
}

/** Of `host:port`, `[::1]:port` too. Throws `BUS_OPTION`. */
export function addressOf(broker: string): Address {
  const [, host, port] = BROKER.exec(broker) ?? [];
  if (host === undefined || Number(port) < 1 || Number(port) > 65_535) throw new BusError('BUS_OPTION', `${broker} is not host:port`);
  return { host: host.replace(/^\[(.*)\]$/, '$1'), port: Number(port) };
}
