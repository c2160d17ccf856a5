export {
  BUS_CLIENT_LIMITS,
  BusClient,
  type BusClientLimits,
  type BusClientOptions,
  BusMessage,
  type MessageOptions,
} from './bus-client.js';
export { BusContext } from './bus-context.js';
export { BUS_SERVER_LIMITS, BusServer, type BusServerLimits, type BusServerOptions, type BusStatus } from './bus-server.js';
export { RequestError, type RequestErrorCode } from './request-error.js';
