export { kafkaInstalled, startKafka, type StartKafkaOptions, type TestKafka } from './broker.js';
export { type KafkaUsers, usersOf } from './users.js';
export { freshTopics } from './fresh-topics.js';
export { eventually } from './eventually.js';
export { lossyProxy, type LossyProxy } from './lossy-proxy.js';
export { startKafkaCluster } from './broker-cluster.js';
