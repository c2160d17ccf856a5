import { createServer } from 'node:http';
import { AggregatorRegistry, type MetricObjectWithValues, type MetricValue, Registry } from 'prom-client';

/** The figures of one thread or service, as prom-client gives them. */
export type MetricSource = () => Promise<readonly MetricObjectWithValues<MetricValue<string>>[]>;

export interface ObservabilityOptions {
  readonly host: string;
  readonly port: number;
  readonly sources: readonly MetricSource[];
  /** Why the service can't do its work now; empty when it can. */
  readonly notReady: () => readonly string[] | Promise<readonly string[]>;
}

/** `/metrics` (Prometheus text format 0.0.4), `/healthz` (the process answers), `/readyz` (it can do its work; 503 and why otherwise). */
export async function serveObservability(options: ObservabilityOptions): Promise<{ readonly address: string; close(): Promise<void> }> {
  const server = createServer((request, response) => {
    const reply = (status: number, type: string, body: string): void => {
      response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store' });
      response.end(body);
    };
    const answer = async (): Promise<void> => {
      switch (request.method === 'GET' ? new URL(request.url ?? '/', 'http://localhost').pathname : '') {
        case '/metrics': {
          const all = await Promise.all(options.sources.map((source) => source()));
          const merged = AggregatorRegistry.aggregate(all.map((metrics) => [...metrics]));
          return reply(200, Registry.PROMETHEUS_CONTENT_TYPE, await merged.metrics());
        }
        case '/healthz':
          return reply(200, 'application/json', '{"status":"ok"}\n');
        case '/readyz': {
          const reasons = await options.notReady();
          const body = { status: reasons.length === 0 ? 'ready' : 'not ready', reasons };
          return reply(reasons.length === 0 ? 200 : 503, 'application/json', `${JSON.stringify(body)}\n`);
        }
        default:
          return reply(404, 'text/plain', 'there are /metrics, /healthz and /readyz here\n');
      }
    };
    answer().catch(() => reply(500, 'text/plain', 'the figures can not be had\n'));
  });
  server.headersTimeout = 5000;
  server.requestTimeout = 5000;
  server.maxConnections = 64;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, options.host, resolve);
  });
  const bound = server.address();
  return {
    address: `${options.host}:${typeof bound === 'object' && bound ? bound.port : options.port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
