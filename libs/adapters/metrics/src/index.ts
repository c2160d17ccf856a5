export { EdgeMetrics, type SpoolGauges } from './edge-metrics.js';
export { DistrustMetrics } from './distrust-metrics.js';
export { type MetricSource, type ObservabilityOptions, serveObservability } from './observability-server.js';
export { PolicyMetrics } from './policy-metrics.js';
