import type { Cluster } from '../cluster.js';
import { check } from '../faults.js';

const TOPIC_RESOURCE = 2;
/** Set for this topic, and not the broker's default. */
const OF_THE_TOPIC = 1;

export interface NewTopic {
  readonly topic: string;
  readonly partitions: number;
  readonly replicationFactor: number;
  readonly configs: Readonly<Record<string, string>>;
}

interface TopicErrors {
  readonly topicErrors: readonly { readonly topic: string; readonly errorCode: number; readonly errorMessage: string | null }[];
}

interface ConfigsAnswer {
  readonly resources: readonly {
    readonly errorCode: number;
    readonly configEntries: readonly { readonly configName: string; readonly configValue: string | null; readonly configSource: number }[];
  }[];
}

export interface FoundConfigs {
  /** What is in force. */
  readonly inForce: Readonly<Record<string, string>>;
  /** What was set for this topic. */
  readonly set: Readonly<Record<string, string>>;
}

export async function createTopic(cluster: Cluster, { topic, partitions, replicationFactor, configs }: NewTopic): Promise<void> {
  const { callTimeoutMs } = cluster.settings.limits;
  const configEntries = Object.entries(configs).map(([name, value]) => ({ name, value }));
  const body = { topics: [{ topic, numPartitions: partitions, replicationFactor, configEntries }], timeout: callTimeoutMs };
  checkTopics(await (await cluster.any()).request<TopicErrors>('CreateTopics', body, callTimeoutMs));
  cluster.forget(topic);
}

export async function addPartitions(cluster: Cluster, topic: string, count: number): Promise<void> {
  const { callTimeoutMs } = cluster.settings.limits;
  const body = { topicPartitions: [{ topic, count }], timeout: callTimeoutMs };
  checkTopics(await (await cluster.any()).request<TopicErrors>('CreatePartitions', body, callTimeoutMs));
  cluster.forget(topic);
}

/** Gone with all its records. */
export async function deleteTopic(cluster: Cluster, topic: string): Promise<void> {
  const { callTimeoutMs } = cluster.settings.limits;
  const answer = await (
    await cluster.any()
  ).request<TopicErrors>('DeleteTopics', { topics: [topic], timeout: callTimeoutMs }, callTimeoutMs);
  checkTopics(answer);
  cluster.forget(topic);
}

export async function describeTopic(cluster: Cluster, topic: string): Promise<FoundConfigs> {
  const { requestTimeoutMs } = cluster.settings.limits;
  const body = { resources: [{ type: TOPIC_RESOURCE, name: topic, configNames: [] }] };
  const answer = await (await cluster.any()).request<ConfigsAnswer>('DescribeConfigs', body, requestTimeoutMs);
  const [found] = answer.resources;
  check(found!.errorCode, `the configuration of ${topic}`);
  const entries = found!.configEntries.map(({ configName, configValue, configSource }) => ({
    name: configName,
    value: configValue ?? '',
    configSource,
  }));
  return {
    inForce: Object.fromEntries(entries.map(({ name, value }) => [name, value])),
    set: Object.fromEntries(entries.filter(({ configSource }) => configSource === OF_THE_TOPIC).map(({ name, value }) => [name, value])),
  };
}

/** Replaces all that is set for the topic: kafkajs doesn't know how to change one thing (IncrementalAlterConfigs). */
export async function configureTopic(cluster: Cluster, topic: string, configs: Readonly<Record<string, string>>): Promise<void> {
  const { callTimeoutMs } = cluster.settings.limits;
  const configEntries = Object.entries(configs).map(([name, value]) => ({ name, value }));
  const body = { resources: [{ type: TOPIC_RESOURCE, name: topic, configEntries }] };
  const answer = await (
    await cluster.any()
  ).request<{ resources: readonly { readonly errorCode: number }[] }>('AlterConfigs', body, callTimeoutMs);
  check(answer.resources[0]!.errorCode, `configuring ${topic}`);
}

function checkTopics({ topicErrors }: TopicErrors): void {
  for (const { topic, errorCode, errorMessage } of topicErrors) check(errorCode, errorMessage ? `${topic} (${errorMessage})` : topic);
}
