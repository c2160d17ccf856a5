import { connectBus } from '@sallyport/adapter-embedded-bus';
import type { MessagePort } from 'node:worker_threads';
import { createLog } from '../services/log.js';
import { type ProjectorSettings, startProjector } from '../services/projector.js';
import { serveWorker } from './worker-link.js';

export interface ProjectorWorkerData {
  readonly bus: MessagePort;
  readonly settings: ProjectorSettings;
  readonly logLevel: string;
}

serveWorker<ProjectorWorkerData>(async ({ bus: port, settings, logLevel }) => {
  const bus = connectBus(port);
  const service = await startProjector(settings, { bus, log: createLog('projector', logLevel) });
  return {
    status: () => service.projector.status(),
    notReady: () => service.notReady(),
    metrics: () => service.metrics(),
    rebuild: () => service.projector.rebuild(),
    close: async () => {
      await service.close();
      await bus.close();
    },
  };
});
