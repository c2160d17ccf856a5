export { EMBEDDED_BUS_LIMITS, type EmbeddedBusLimits, type EmbeddedBusOptions, openEmbeddedBus } from './embedded-bus.js';
export { connectBus, type ConnectLimits, CONNECT_LIMITS } from './port/connect-bus.js';
export { serveBus, type ServedBus } from './port/serve-bus.js';
export { type FoundInTopic, readEmbeddedTopic } from './read-topic.js';
