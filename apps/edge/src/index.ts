export { createEdge, type Edge, type EdgeOptions } from './create-edge.js';
export type { EdgeLimits } from './limits.js';
export type { PostgresResource } from './postgres/open.js';
