import { type EdgeSettings, startEdge } from '../services/edge.js';
import { openRoster, rosterPath, serviceKey } from '../services/ground.js';
import { livePolicy } from '../services/live-policy.js';
import { createLog } from '../services/log.js';
import { type BusLink, connectLink } from './bus-link.js';
import { serveWorker } from './worker-link.js';

export interface EdgeWorkerData {
  readonly bus: BusLink;
  readonly settings: EdgeSettings;
  readonly logLevel: string;
}

serveWorker<EdgeWorkerData>(async ({ bus: link, settings, logLevel }) => {
  const log = createLog('edge', logLevel);
  const bus = await connectLink(link, log);
  const { place, policy } = settings;
  const roster = openRoster(rosterPath(place), [await serviceKey(place, 'edge')], log);
  const live = await livePolicy({ bus, roster, configured: policy, log });
  const edge = await startEdge(settings, {
    bus,
    roster,
    live,
    log,
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
      await live.close();
      await bus.close();
    },
  };
});
