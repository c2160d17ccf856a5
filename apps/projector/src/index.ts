export { createProjector, type Projector, type ProjectorOptions, type ProjectorStatus } from './create-projector.js';
export { ProjectorError, type ProjectorErrorCode } from './errors.js';
export type { TopicStatus } from './ingest.js';
export type { Log } from './log.js';
export type { CheckpointStatus } from './log-checkpoints.js';
export { ProjectorMetrics } from './metrics.js';
