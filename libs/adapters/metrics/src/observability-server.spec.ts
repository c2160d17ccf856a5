import { freePort } from '@sallyport/adapter-embedded-postgres';
import { EdgeMetrics } from './edge-metrics.js';
import { serveObservability } from './observability-server.js';

describe('observability', () => {
  it('adds up the figures of several threads, and tells why it is not ready', async () => {
    const one = new EdgeMetrics();
    const two = new EdgeMetrics();
    one.decided('deny', 0.002);
    two.decided('deny', 0.004);
    two.refused('policy');
    one.watchSpool({ bytes: () => 42, oldestSeconds: () => 1.5 });
    let reasons: string[] = [];
    const server = await serveObservability({
      host: '127.0.0.1',
      port: await freePort(),
      sources: [one, two].map((metrics) => () => metrics.registry.getMetricsAsJSON()),
      notReady: () => reasons,
    });
    try {
      const get = (path: string): Promise<Response> => fetch(`http://${server.address}${path}`);
      const text = await (await get('/metrics')).text();
      expect(text).toContain('sallyport_operations_total{verdict="deny"} 2');
      expect(text).toContain('sallyport_decision_seconds_count 2');
      expect(text).toContain('sallyport_spool_bytes 42');
      expect((await get('/healthz')).status).toBe(200);
      expect((await get('/readyz')).status).toBe(200);
      reasons = ['the log can not be written'];
      const not = await get('/readyz');
      expect(not.status).toBe(503);
      expect(await not.json()).toEqual({ status: 'not ready', reasons });
      expect((await get('/other')).status).toBe(404);
    } finally {
      await server.close();
    }
  });
});
