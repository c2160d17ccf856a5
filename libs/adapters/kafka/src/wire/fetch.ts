import Decoder from 'kafkajs/src/protocol/decoder.js';
import protocol from 'kafkajs/src/protocol/requests/index.js';
import type { Link } from '../link.js';
import { check, KafkaFault } from '../faults.js';
import { decodeBatches, type DecodedBatches } from './record-batch.js';

/** Kafka 4 still speaks it; the newest that kafkajs can write. */
const FETCH_VERSION = 11;
const READ_UNCOMMITTED = 0;

export interface FetchFrom {
  readonly topic: string;
  readonly partition: number;
  readonly offset: bigint;
  readonly maxBytes: number;
  /** How long the broker waits for something new. */
  readonly waitMs: number;
}

/**
 * What there is from `offset` on, decoded by us: kafkajs doesn't look at checksums, and makes the error of one partition everybody's. Throws what the
 * broker says about the partition.
 */
export async function fetchBatches(link: Link, from: FetchFrom, timeoutMs: number): Promise<DecodedBatches> {
  const { request } = protocol.requests['Fetch']!.protocol({ version: FETCH_VERSION })({
    maxWaitTime: from.waitMs,
    minBytes: 1,
    maxBytes: from.maxBytes,
    isolationLevel: READ_UNCOMMITTED,
    topics: [{ topic: from.topic, partitions: [{ partition: from.partition, fetchOffset: String(from.offset), maxBytes: from.maxBytes }] }],
  });
  const response = { decode: async (payload: Buffer) => decodeFetch(payload), parse: async (decoded: unknown) => decoded };
  const { code, records } = (await link.send({ request, response }, timeoutMs + from.waitMs)) as ReturnType<typeof decodeFetch>;
  check(code, `${from.topic}/${from.partition} at offset ${from.offset}`);
  return decodeBatches(from.topic, from.partition, records, from.offset);
}

/** Fetch response, version 11, of the one partition that was asked for (kafka.apache.org/protocol, Fetch). */
function decodeFetch(payload: Buffer): { code: number; records: Buffer; clientSideThrottleTime: number } {
  const decoder = new Decoder(payload);
  const clientSideThrottleTime = decoder.readInt32();
  const code = decoder.readInt16();
  decoder.readInt32();
  const [partitions = []] = decoder.readArray((topic) => {
    topic.readString();
    return topic.readArray(decodePartition);
  });
  const [partition] = partitions;
  if (code === 0 && !partition) throw new KafkaFault('CORRUPT_RECORD', 'a fetch was answered without its partition');
  return { code: code || partition!.code, records: partition?.records ?? Buffer.alloc(0), clientSideThrottleTime };
}

function decodePartition(decoder: Decoder): { code: number; records: Buffer } {
  decoder.readInt32();
  const code = decoder.readInt16();
  // High watermark, last stable offset, log start.
  decoder.readInt64();
  decoder.readInt64();
  decoder.readInt64();
  decoder.readArray((aborted) => [aborted.readInt64(), aborted.readInt64()]);
  decoder.readInt32();
  return { code, records: decoder.readBytes() ?? Buffer.alloc(0) };
}
