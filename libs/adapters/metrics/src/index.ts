export { EdgeMetrics, type SpoolGauges } from './edge-metrics.js';
export { type MetricSource, type ObservabilityOptions, serveObservability } from './observability-server.js';
