export { kafkaInstalled, startKafka, type StartKafkaOptions, type TestKafka } from './broker.js';
export { freshTopics } from './fresh-topics.js';
