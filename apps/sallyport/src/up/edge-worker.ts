import { connectBus } from '@sallyport/adapter-embedded-bus';
import type { MessagePort } from 'node:worker_threads';
import { type EdgeSettings, startEdge } from '../services/edge.js';
import { createLog } from '../services/log.js';
import { serveWorker } from './worker-link.js';

export interface EdgeWorkerData {
  readonly bus: MessagePort;
  readonly settings: EdgeSettings;
  readonly logLevel: string;
}

serveWorker<EdgeWorkerData>(async ({ bus: port, settings, logLevel }) => {
  const bus = connectBus(port);
  const edge = await startEdge(settings, {
    bus,
    log: createLog('edge', logLevel),
    lost: (error) => {
      // Ends the thread, and with it everything: the next start recovers.
      setImmediate(() => {
        throw error;
      });
    },
  });
  return {
    listeners: () => edge.listeners,
    metrics: () => edge.metrics(),
    notReady: () => edge.notReady(),
    close: async () => {
      await edge.close();
      await bus.close();
    },
  };
});
