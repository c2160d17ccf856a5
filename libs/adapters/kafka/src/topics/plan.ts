import { ALL_TOPICS, type TopicKind, topicKind, TOPICS } from '@sallyport/bus';
import { KAFKA_LIMITS } from '../options.js';
import { BATCH_OVERHEAD_BYTES } from '../wire/record-batch.js';

/** What a topic is to be. Config names and values are the broker's. */
export interface TopicPlan {
  readonly topic: string;
  readonly kind: TopicKind;
  readonly partitions: number;
  readonly replicationFactor: number;
  readonly configs: Readonly<Record<string, string>>;
}

export interface TopicPlanOptions {
  /** Of the topics that grow with the number of sessions and requests. Default 12. Can't be changed later for the record. */
  readonly partitions?: number;
  /** Copies of each record, on as many brokers. Default 3; 1 keeps the record on one disk. */
  readonly replicationFactor?: number;
  /** Copies that must have a record before it counts as written. Default one less than there are. */
  readonly minInSyncReplicas?: number;
  /** Key, value and headers of one record. Default: the bus's own limit. */
  readonly maxRecordBytes?: number;
  /** Default: every topic of an installation. */
  readonly topics?: readonly string[];
}

export const TOPIC_PARTITIONS = 12;
export const TOPIC_REPLICATION_FACTOR = 3;
/** A batch's own bytes beside one largest record. */
export const MESSAGE_ROOM_BYTES = 64 * 1024;
const TRANSIENT_RETENTION_MS = 10 * 60_000;
const TRANSIENT_RETENTION_BYTES = 64 * 2 ** 20;
const TRANSIENT_SEGMENT_BYTES = 16 * 2 ** 20;
/** Total order matters: one partition, whatever their number elsewhere. */
const ONE_PARTITION = new Set<string>([TOPICS.control, TOPICS.leases, TOPICS.checkpoints, TOPICS.policies]);

/** Every topic as an installation needs it. */
export function topicPlan(options: TopicPlanOptions = {}): readonly TopicPlan[] {
  const { partitions = TOPIC_PARTITIONS, replicationFactor = TOPIC_REPLICATION_FACTOR, topics = ALL_TOPICS } = options;
  const minInSync = options.minInSyncReplicas ?? Math.max(1, replicationFactor - 1);
  const maxMessage = (options.maxRecordBytes ?? KAFKA_LIMITS.maxRecordBytes) + BATCH_OVERHEAD_BYTES + MESSAGE_ROOM_BYTES;
  return topics.map((topic) => {
    const kind = topicKind(topic);
    return {
      topic,
      kind,
      partitions: ONE_PARTITION.has(topic) ? 1 : partitions,
      replicationFactor,
      configs: {
        'min.insync.replicas': `${minInSync}`,
        'max.message.bytes': `${maxMessage}`,
        // Writers' times, which events carry: a broker's own would be another one.
        'message.timestamp.type': 'CreateTime',
        // A leader that lacks acknowledged records would lose them for everybody.
        'unclean.leader.election.enable': 'false',
        // Whatever was sent: the broker unpacks it, and refuses what is too large then. Else a stranger's codec, or a batch that unpacks to a
        // thousand times its size, would be every reader's trouble.
        'compression.type': 'uncompressed',
        ...KIND_CONFIGS[kind],
      },
    };
  });
}

const KIND_CONFIGS: Readonly<Record<TopicKind, Readonly<Record<string, string>>>> = {
  record: { 'cleanup.policy': 'delete', 'retention.ms': '-1', 'retention.bytes': '-1' },
  transient: {
    'cleanup.policy': 'delete',
    'retention.ms': `${TRANSIENT_RETENTION_MS}`,
    'retention.bytes': `${TRANSIENT_RETENTION_BYTES}`,
    'segment.bytes': `${TRANSIENT_SEGMENT_BYTES}`,
    'segment.ms': `${TRANSIENT_RETENTION_MS}`,
  },
};
