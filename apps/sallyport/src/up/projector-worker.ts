import { createLog } from '../services/log.js';
import { openRoster, rosterPath, serviceKey } from '../services/ground.js';
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
  const { place } = settings;
  const own = await Promise.all([serviceKey(place, 'projector'), serviceKey(place, 'ledger')]);
  const service = await startProjector(settings, { bus, roster: openRoster(rosterPath(place), own, log), log });
  return {
    notReady: () => service.notReady(),
    metrics: () => service.metrics(),
    close: async () => {
      await service.close();
      await bus.close();
    },
  };
});
