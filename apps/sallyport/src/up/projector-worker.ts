import { createLog } from '../services/log.js';
import { type ProjectorSettings, startProjector } from '../services/projector.js';
import { type BusLink, connectLink } from './bus-link.js';
import { serveWorker } from './worker-link.js';

export interface ProjectorWorkerData {
  readonly bus: BusLink;
  readonly settings: ProjectorSettings;
  readonly logLevel: string;
}

serveWorker<ProjectorWorkerData>(async ({ bus: link, settings, logLevel }) => {
  const log = createLog('projector', logLevel);
  const bus = await connectLink(link, log);
  const service = await startProjector(settings, { bus, log });
  return {
    notReady: () => service.notReady(),
    metrics: () => service.metrics(),
    close: async () => {
      await service.close();
      await bus.close();
    },
  };
});
