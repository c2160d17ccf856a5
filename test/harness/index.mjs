export { kafkaInstalled, startKafka, startKafkaCluster } from './kafka.mjs';
export { installedServer, startInstalledTarget, startTarget } from './target.mjs';
export { postgresResource, startSallyport } from './sallyport.mjs';
export { runToEnd } from './processes.mjs';

/** @typedef {import('./target.mjs').Target} Target */
/** @typedef {import('./sallyport.mjs').Sallyport} Sallyport */
