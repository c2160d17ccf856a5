export { EmbeddedPostgresError, type EmbeddedPostgresErrorCode } from './errors.js';
export { type EmbeddedPostgres, type EmbeddedPostgresOptions, startEmbeddedPostgres } from './embedded-postgres.js';
export { freePort } from './port.js';
