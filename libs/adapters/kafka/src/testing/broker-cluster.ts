import { freePort } from '@sallyport/adapter-embedded-postgres';
import { newClusterId, startKafka, type TestKafka } from './broker.js';

const NODES = 3;

/**
 * Three brokers that are each other's controllers, on loopback: any one of them may be killed. Internal topics have three copies. Stop each of them.
 */
export async function startKafkaCluster(properties: Readonly<Record<string, string>> = {}): Promise<TestKafka[]> {
  const clusterId = newClusterId();
  const controllerPorts = await Promise.all(Array.from({ length: NODES }, freePort));
  const voters = controllerPorts.map((port, n) => `${n + 1}@127.0.0.1:${port}`).join(',');
  const starting = controllerPorts.map((controllerPort, n) =>
    startKafka({
      clusterId,
      controllerPort,
      properties: {
        'node.id': `${n + 1}`,
        'controller.quorum.voters': voters,
        'offsets.topic.replication.factor': `${NODES}`,
        'offsets.topic.num.partitions': '3',
        ...properties,
      },
    }),
  );
  const outcomes = await Promise.allSettled(starting);
  const brokers = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
  const failed = outcomes.find((outcome) => outcome.status === 'rejected');
  if (!failed) return brokers;
  await Promise.all(brokers.map((broker) => broker.stop()));
  throw failed.reason as Error;
}
