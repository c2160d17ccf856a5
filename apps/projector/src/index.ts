export { createProjector, type Projector, type ProjectorOptions } from './create-projector.js';
export { ProjectorError, type ProjectorErrorCode, RebuildFailed } from './errors.js';
export type { Log } from './log.js';
export type { CheckpointStatus } from './log-checkpoints.js';
export { ProjectorMetrics } from './metrics.js';
export type { TopicStatus } from './model-status.js';
export type { ProjectorStatusOnWire } from './projections.controller.js';
export type { ProjectorStatus } from './status.js';
export type { RebuildState } from '@sallyport/adapter-postgres-store';
