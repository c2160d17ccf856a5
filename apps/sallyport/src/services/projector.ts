import type { Bus } from '@sallyport/bus';
import { createProjector, type Projector, ProjectorMetrics } from '@sallyport/projector';
import type { Logger } from 'pino';
import { openRoster, type Place, rosterPath, serviceKey } from './ground.js';
import type { Service } from './service.js';

/** What a projector is told; all of it can be handed to a thread. */
export interface ProjectorSettings {
  readonly place: Place;
  /** `postgres://…`. Secret. */
  readonly storeUrl: string;
}

export interface ProjectorService extends Service {
  readonly projector: Projector;
}

/** Folds the log into the read models, and signs it. */
export async function startProjector(
  { place, storeUrl }: ProjectorSettings,
  { bus, log }: { readonly bus: Bus; readonly log: Logger },
): Promise<ProjectorService> {
  const metrics = new ProjectorMetrics();
  const ledgerKey = await serviceKey(place, 'ledger');
  const roster = openRoster(rosterPath(place), [ledgerKey], log);
  const formerLedgerKeys = roster.ofRole('ledger').filter(({ id }) => id !== ledgerKey.id);
  const projector = await createProjector({ bus, metrics, storeUrl, roster, ledgerKey, formerLedgerKeys, log });
  return {
    projector,
    listeners: {},
    metrics: () => metrics.registry.getMetricsAsJSON(),
    notReady: async () => (await projector.status()).notReady,
    close: () => projector.close(),
  };
}
