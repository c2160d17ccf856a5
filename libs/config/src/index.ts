export { type Address, isLoopback, type TcpAddress, type UnixAddress } from './address.js';
export { checkDev, notYet } from './checks.js';
export type {
  AuditConfig,
  Config,
  DevIdentityConfig,
  ListenConfig,
  ListenerConfig,
  OidcProviderConfig,
  PostgresCredentialConfig,
  PostgresResourceConfig,
  ProviderConfig,
  ResourceConfig,
} from './config.js';
export { configJsonSchema } from './json-schema.js';
export { DEFAULT_LIMITS, LIMITS, type LimitRow, type Limits, limitsMarkdown } from './limits.js';
export { CONFIG_MAX_BYTES, type ConfigProblem, type ConfigSource, formatProblems, loadConfig, type LoadedConfig } from './load.js';
export type { PostgresTls } from './schema-resources.js';
export { type Env, resolveSecret, SecretError, type SecretRef } from './secrets.js';
export { parseBytes, parseDurationMs } from './units.js';
