export { BusError, type BusErrorCode } from './bus-error.js';
export type {
  BatchContext,
  Bus,
  BusRecord,
  ConsumeOptions,
  Consumption,
  OutgoingRecord,
  PartitionEnds,
  Placed,
  StartAt,
  TopicKind,
} from './bus.port.js';
export { CaughtUp } from './caught-up.js';
export { type Opened, OpenWork } from './open-work.js';
export { pages } from './pages.js';
export { ALL_TOPICS, REQUEST_SERVICES, TOPIC_KINDS, TOPICS, TRANSIENT_PREFIXES, topicKind } from './topics.js';
