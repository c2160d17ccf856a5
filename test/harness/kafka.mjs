/** A real broker for whoever tests from outside; deploy/kafka/install.sh fetches what it needs. */
export { kafkaInstalled, startKafka, startKafkaCluster } from '@sallyport/adapter-kafka/testing';
