import { join } from 'node:path';
import type { MessagePort } from 'node:worker_threads';
import { connectBus } from '@sallyport/adapter-embedded-bus';
import { loadOrCreateKey } from '@sallyport/events';
import { createProjector, ProjectorMetrics } from '@sallyport/projector';
import { createLog } from './log.js';
import { serveWorker } from './worker-link.js';

export interface ProjectorWorkerData {
  readonly bus: MessagePort;
  readonly storeUrl: string;
  readonly dataDir: string;
  readonly name: string;
  readonly logLevel: string;
}

serveWorker<ProjectorWorkerData>(async ({ bus: port, storeUrl, dataDir, name, logLevel }) => {
  const bus = connectBus(port);
  const metrics = new ProjectorMetrics();
  const projector = await createProjector({
    bus,
    metrics,
    storeUrl,
    ledgerKey: await loadOrCreateKey(join(dataDir, 'keys'), `ledger/${name}`),
    log: createLog('projector', logLevel),
  });
  return {
    status: () => projector.status(),
    notReady: async () => (await projector.status()).notReady,
    metrics: () => metrics.registry.getMetricsAsJSON(),
    rebuild: (id) => projector.beginRebuild(id as string),
    close: async () => {
      await projector.close();
      await bus.close();
    },
  };
});
