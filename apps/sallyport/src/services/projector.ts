import type { Bus } from '@sallyport/bus';
import type { Limits } from '@sallyport/config';
import { createProjector, ProjectorMetrics } from '@sallyport/projector';
import { announce, type Roster } from '@sallyport/trust';
import type { Logger } from 'pino';
import { version } from '../version.js';
import { serving } from './asking.js';
import { type Ground, type Place, placeOf, serviceKey } from './ground.js';
import type { Service } from './service.js';

/** What a projector is told; all of it can be handed to a thread. */
export interface ProjectorSettings {
  readonly place: Place;
  /** Id of the installation. */
  readonly installation: string;
  /** `postgres://…`. Secret. */
  readonly storeUrl: string;
  readonly limits: Limits;
}

export function projectorSettings({ config, installation }: Pick<Ground, 'config' | 'installation'>, storeUrl: string): ProjectorSettings {
  return { place: placeOf(config), installation: installation.id, storeUrl, limits: config.limits };
}

export interface ProjectorParts {
  readonly bus: Bus;
  /** With the projector's and the ledger's own keys in it. */
  readonly roster: Roster;
  readonly log: Logger;
}

/** Folds the log into the read models, signs it, and answers how far it is. */
export async function startProjector(
  { place, installation, storeUrl, limits }: ProjectorSettings,
  { bus, roster, log }: ProjectorParts,
): Promise<Service> {
  const metrics = new ProjectorMetrics();
  const [key, ledgerKey] = await Promise.all([serviceKey(place, 'projector'), serviceKey(place, 'ledger')]);
  const transport = serving('projector', { bus, key, roster, log }, limits);
  const projector = await createProjector({ bus, transport, metrics, storeUrl, roster, ledgerKey, log });
  await announce(bus, key, { installation, version: version(), nowMs: Date.now() });
  return {
    listeners: {},
    metrics: () => metrics.registry.getMetricsAsJSON(),
    notReady: async () => (await projector.status()).notReady,
    close: () => projector.close(),
  };
}
