export { openKafkaBus } from './kafka-bus.js';
export { KAFKA_LIMITS, type KafkaLimits, type KafkaLogLevel, type KafkaOptions, type KafkaSasl, type KafkaTls } from './options.js';
