import { Cluster } from '../cluster.js';
import { KafkaFault } from '../faults.js';
import { type KafkaOptions, kafkaSettings } from '../options.js';
import { awaitTopic } from '../topics/await-topic.js';
import { topicPlan } from '../topics/plan.js';
import { createTopic, deleteTopic } from '../topics/topic-requests.js';

/** Deletes what there is of these topics and makes them anew, as their kind wants them, with so many partitions each. */
export async function freshTopics(options: KafkaOptions, topics: Readonly<Record<string, number>>, replicationFactor = 1): Promise<void> {
  const cluster = new Cluster(kafkaSettings(options));
  try {
    for (const [topic, partitions] of Object.entries(topics)) {
      await deleteTopic(cluster, topic).catch((error: unknown) => {
        if (!(error instanceof KafkaFault) || error.code !== 'UNKNOWN_TOPIC_OR_PARTITION') throw error;
      });
      await awaitTopic(cluster, topic, 0);
      const [plan] = topicPlan({ topics: [topic], replicationFactor });
      await createTopic(cluster, { ...plan!, partitions });
      await awaitTopic(cluster, topic, partitions);
    }
  } finally {
    cluster.close();
  }
}
