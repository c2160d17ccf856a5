import { CompressionTypes, Kafka, logLevel } from 'kafkajs';

/** A bare kafkajs producer, as sure as the adapter's: idempotent, all in-sync replicas, one batch at a time. */
export async function startKafkajsProducer({ brokers, topic }) {
  const kafka = new Kafka({ clientId: 'bench', brokers, logLevel: logLevel.NOTHING });
  const producer = kafka.producer({ idempotent: true, maxInFlightRequests: 1, allowAutoTopicCreation: false });
  await producer.connect();
  return {
    produce: (records) =>
      producer.send({ topic, acks: -1, compression: CompressionTypes.None, messages: records.map(({ key, value }) => ({ key, value })) }),
    stop: () => producer.disconnect(),
  };
}
