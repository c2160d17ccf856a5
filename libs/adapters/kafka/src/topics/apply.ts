import type { Cluster } from '../cluster.js';
import type { KafkaOptions } from '../options.js';
import { LATEST, offsetAt } from '../wire/offsets.js';
import { awaitConfigs, awaitTopic } from './await-topic.js';
import { compare, type TopicDifference, withCluster } from './compare.js';
import type { TopicPlan } from './plan.js';
import { addPartitions, configureTopic, createTopic, describeTopic } from './topic-requests.js';

export interface TopicChange {
  readonly topic: string;
  readonly did: 'created' | 'configured' | 'partitions added';
  /** `name=value` of what was changed. */
  readonly to: readonly string[];
}

export interface AppliedTopics {
  readonly done: readonly TopicChange[];
  /** What nobody may change by itself: somebody has to decide about it. */
  readonly left: readonly TopicDifference[];
}

/**
 * Makes the broker's topics what the plan says: makes those that are missing, sets configurations, and adds partitions where no key would move away
 * from its records (transient topics, and others that have none yet). Never deletes and never takes partitions away. Rejects with
 * `BUS_FAILED` at the first thing that the broker refuses.
 */
export function applyTopics(options: KafkaOptions, plan: readonly TopicPlan[]): Promise<AppliedTopics> {
  return withCluster(options, async (cluster) => {
    const differences = await compare(cluster, plan);
    const done: TopicChange[] = [];
    for (const one of plan) {
      const mine = differences.filter(({ topic }) => topic === one.topic);
      if (mine.some(({ severity }) => severity === 'missing')) done.push(await create(cluster, one));
      else done.push(...(await configure(cluster, one, mine)), ...(await grow(cluster, one, mine)));
    }
    return { done, left: await compare(cluster, plan) };
  });
}

async function create(cluster: Cluster, plan: TopicPlan): Promise<TopicChange> {
  await createTopic(cluster, plan);
  await awaitTopic(cluster, plan.topic, plan.partitions);
  const { partitions, replicationFactor } = plan;
  return { topic: plan.topic, did: 'created', to: [`partitions=${partitions}`, `replication factor=${replicationFactor}`] };
}

async function configure(cluster: Cluster, plan: TopicPlan, differences: readonly TopicDifference[]): Promise<TopicChange[]> {
  const wrong = differences.filter(({ what }) => what in plan.configs);
  if (wrong.length === 0) return [];
  const { set, inForce } = await describeTopic(cluster, plan.topic);
  // What somebody else has set stays, and so does what is more than planned.
  const kept = Object.entries(plan.configs).filter(([what]) => !wrong.some((difference) => difference.what === what));
  const keep = Object.fromEntries(kept.map(([what, wanted]) => [what, inForce[what] ?? wanted]));
  const configs = { ...set, ...plan.configs, ...keep };
  await configureTopic(cluster, plan.topic, configs);
  await awaitConfigs(cluster, plan.topic, configs);
  return [{ topic: plan.topic, did: 'configured', to: wrong.map(({ what, wanted }) => `${what}=${wanted}`) }];
}

async function grow(cluster: Cluster, plan: TopicPlan, differences: readonly TopicDifference[]): Promise<TopicChange[]> {
  const { topic, partitions } = plan;
  const fewer = differences.find(({ what, found }) => what === 'partitions' && Number(found) < partitions);
  if (!fewer || (plan.kind !== 'transient' && !(await isEmpty(cluster, topic, Number(fewer.found))))) return [];
  await addPartitions(cluster, topic, partitions);
  await awaitTopic(cluster, topic, partitions);
  return [{ topic, did: 'partitions added', to: [`partitions=${partitions}`] }];
}

async function isEmpty(cluster: Cluster, topic: string, partitions: number): Promise<boolean> {
  for (let partition = 0; partition < partitions; partition++) if ((await offsetAt(cluster, topic, partition, LATEST)) > 0n) return false;
  return true;
}
