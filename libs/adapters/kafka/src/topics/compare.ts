import { BusError } from '@sallyport/bus';
import { Cluster, type TopicShape } from '../cluster.js';
import { asBusError } from '../faults.js';
import { type KafkaOptions, kafkaSettings } from '../options.js';
import { persist } from '../pauses.js';
import type { TopicPlan } from './plan.js';
import { describeTopic, type FoundConfigs } from './topic-requests.js';

/**
 * How much a difference matters. `loses-record`: records would be forgotten, refused, or could not be read again. `differs`: it works, otherwise than
 * planned.
 */
export type TopicSeverity = 'missing' | 'loses-record' | 'differs';

export interface TopicDifference {
  readonly topic: string;
  /** The name of a configuration, `partitions`, `replication factor` or `topic`. */
  readonly what: string;
  readonly wanted: string;
  readonly found: string;
  readonly severity: TopicSeverity;
}

/** What the broker has, against the plan. Empty when all is as planned. Rejects with `BUS_FAILED`. */
export function compareTopics(options: KafkaOptions, plan: readonly TopicPlan[]): Promise<readonly TopicDifference[]> {
  return withCluster(options, (cluster) => compare(cluster, plan));
}

export async function withCluster<T>(options: KafkaOptions, work: (cluster: Cluster) => Promise<T>): Promise<T> {
  const cluster = new Cluster(kafkaSettings(options));
  try {
    return await work(cluster);
  } catch (error) {
    throw asBusError(error);
  } finally {
    cluster.close();
  }
}

export async function compare(cluster: Cluster, plan: readonly TopicPlan[]): Promise<readonly TopicDifference[]> {
  const differences: TopicDifference[] = [];
  for (const wanted of plan) {
    const shape = await shapeIfThere(cluster, wanted.topic);
    if (!shape) {
      differences.push({ topic: wanted.topic, what: 'topic', wanted: 'there', found: 'missing', severity: 'missing' });
      continue;
    }
    const configs = await persist(cluster.settings.limits.callTimeoutMs, cluster.signal, () => describeTopic(cluster, wanted.topic));
    differences.push(...differencesOf(wanted, shape, configs));
  }
  return differences;
}

export async function shapeIfThere(cluster: Cluster, topic: string): Promise<TopicShape | undefined> {
  try {
    return await cluster.refresh(topic);
  } catch (error) {
    if (error instanceof BusError && error.code === 'BUS_TOPIC') return undefined;
    throw error;
  }
}

function differencesOf(plan: TopicPlan, shape: TopicShape, { inForce }: FoundConfigs): TopicDifference[] {
  const { topic, partitions, replicationFactor } = plan;
  const numbers: TopicDifference[] = [
    { topic, what: 'partitions', wanted: `${partitions}`, found: `${shape.leaders.length}`, severity: 'differs' as const },
    {
      topic,
      what: 'replication factor',
      wanted: `${replicationFactor}`,
      found: `${shape.replicationFactor}`,
      severity: 'differs' as const,
    },
  ].filter(({ wanted, found }) => wanted !== found);
  const configs = Object.entries(plan.configs)
    .map(([what, wanted]) => ({ topic, what, wanted, found: inForce[what] ?? '' }))
    .filter(({ what, wanted, found }) => !isFine(what, wanted, found))
    .map((one) => ({ ...one, severity: severityOf(plan, one.what, one.found) }));
  return [...numbers, ...configs];
}

function isFine(what: string, wanted: string, found: string): boolean {
  // More room, or more copies, take nothing away.
  if (what === 'max.message.bytes' || what === 'min.insync.replicas') return Number(found) >= Number(wanted);
  return found === wanted;
}

function severityOf({ kind, replicationFactor }: TopicPlan, what: string, found: string): TopicSeverity {
  if (what === 'compression.type') return 'loses-record';
  if (kind === 'transient') return 'differs';
  if (what === 'unclean.leader.election.enable') return replicationFactor > 1 ? 'loses-record' : 'differs';
  if (what === 'cleanup.policy' || what === 'max.message.bytes') return 'loses-record';
  const limited = (what === 'retention.ms' || what === 'retention.bytes') && Number(found) !== -1;
  return limited ? 'loses-record' : 'differs';
}
