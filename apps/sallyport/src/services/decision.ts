import { oidcIdentity } from '@sallyport/adapter-oidc';
import { createDecision } from '@sallyport/decision';
import { version } from '../version.js';
import { serving } from './asking.js';
import { type Ground, serviceKey } from './ground.js';
import { type LoadedPolicy, loadPolicy, verdictsOf } from './policy.js';
import { type Service, Stops } from './service.js';

/** Verdicts for edges and vendors, and the answers of people to what is held. */
export async function startDecision(ground: Ground, policy?: LoadedPolicy): Promise<Service> {
  const { bus, config, roster, installation, distrust, log } = ground;
  const { limits } = config;
  const stops = new Stops((error) => log.warn({ err: error }, 'a part did not stop cleanly'));
  try {
    const loaded = policy ?? (await loadPolicy(ground.policy));
    const identity = oidcIdentity({ providers: ground.providers, limits });
    stops.push(() => identity.close());
    const key = await serviceKey(config, 'decision');
    const decision = await createDecision({
      bus,
      key,
      roster,
      installation: installation.id,
      version: version(),
      bundle: loaded.bundle,
      metrics: distrust,
      transport: serving('decide', { bus, key, roster, log }, limits),
      identity,
      engine: loaded.engine,
      verdicts: verdictsOf(loaded, limits, log),
      limits,
      log,
    });
    stops.push(() => decision.close());
    return { listeners: {}, metrics: async () => [], notReady: () => [], close: () => stops.run() };
  } catch (error) {
    await stops.run();
    throw error;
  }
}
