import Encoder from 'kafkajs/src/protocol/encoder.js';
import protocol from 'kafkajs/src/protocol/requests/index.js';
import type { Link } from '../link.js';

/** The newest that kafkajs can read the answer of; Kafka 4 still speaks it. */
const PRODUCE_VERSION = 7;
const ALL_REPLICAS = -1;

export interface BatchOfPartition {
  readonly partition: number;
  readonly batch: Buffer;
}

export interface ProducedPartition {
  readonly partition: number;
  readonly errorCode: number;
  readonly baseOffset: string;
}

/** One batch each of some partitions of a topic, acknowledged by all replicas that are in sync. Every partition has its own outcome. */
export async function sendBatches(
  link: Link,
  topic: string,
  batches: readonly BatchOfPartition[],
  timeoutMs: number,
): Promise<readonly ProducedPartition[]> {
  const { request, response } = protocol.requests['Produce']!.protocol({ version: PRODUCE_VERSION })({
    acks: ALL_REPLICAS,
    timeout: timeoutMs,
    topicData: [],
  });
  const body = async (): Promise<Encoder> => {
    const partitions = batches.map(({ partition, batch }) => new Encoder(batch.length + 16).writeInt32(partition).writeBytes(batch));
    const topicData = new Encoder().writeString(topic).writeArray(partitions);
    return new Encoder().writeString(null).writeInt16(ALL_REPLICAS).writeInt32(timeoutMs).writeArray([topicData]);
  };
  const answer = (await link.send({ request: { ...request, encode: body }, response }, timeoutMs)) as {
    topics: { partitions: ProducedPartition[] }[];
  };
  return answer.topics.flatMap(({ partitions }) => partitions);
}
