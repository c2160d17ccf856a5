export { openKafkaBus } from './kafka-bus.js';
export { KAFKA_LIMITS, type KafkaLimits, type KafkaLogLevel, type KafkaOptions, type KafkaSasl, type KafkaTls } from './options.js';
export { type AppliedTopics, applyTopics, type TopicChange } from './topics/apply.js';
export { checkTopics, KafkaTopicsError } from './topics/check.js';
export { compareTopics, type TopicDifference, type TopicSeverity } from './topics/compare.js';
export { TOPIC_PARTITIONS, TOPIC_REPLICATION_FACTOR, type TopicPlan, topicPlan, type TopicPlanOptions } from './topics/plan.js';
