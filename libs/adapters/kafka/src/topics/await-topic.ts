import { BusError } from '@sallyport/bus';
import type { Cluster } from '../cluster.js';
import { KafkaFault } from '../faults.js';
import { pause } from '../pauses.js';
import { describeTopic } from './topic-requests.js';

const ASK_AGAIN_MS = 20;

/**
 * The controller answers before every broker has heard: waits until the topic has `partitions` partitions with a leader each, or isn't there (0).
 * Rejects with `TIMEOUT` after `callTimeoutMs`.
 */
export async function awaitTopic(cluster: Cluster, topic: string, partitions: number): Promise<void> {
  const { callTimeoutMs } = cluster.settings.limits;
  for (const until = Date.now() + callTimeoutMs; Date.now() < until; await pause(ASK_AGAIN_MS, cluster.signal)) {
    const leaders = await leadersOf(cluster, topic);
    if (leaders.length === partitions && leaders.every((leader) => leader >= 0)) return;
  }
  throw new KafkaFault('TIMEOUT', `${topic} had not ${partitions} partitions within ${callTimeoutMs} ms`);
}

/** The same for configurations. */
export async function awaitConfigs(cluster: Cluster, topic: string, configs: Readonly<Record<string, string>>): Promise<void> {
  const { callTimeoutMs } = cluster.settings.limits;
  for (const until = Date.now() + callTimeoutMs; Date.now() < until; await pause(ASK_AGAIN_MS, cluster.signal)) {
    const { inForce } = await describeTopic(cluster, topic);
    if (Object.entries(configs).every(([name, value]) => inForce[name] === value)) return;
  }
  throw new KafkaFault('TIMEOUT', `${topic} was not configured within ${callTimeoutMs} ms`);
}

async function leadersOf(cluster: Cluster, topic: string): Promise<readonly number[]> {
  try {
    return (await cluster.refresh(topic)).leaders;
  } catch (error) {
    if (error instanceof BusError && error.code === 'BUS_TOPIC') return [];
    throw error;
  }
}
