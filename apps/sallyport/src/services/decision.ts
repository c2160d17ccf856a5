import { oidcIdentity } from '@sallyport/adapter-oidc';
import { createDecision } from '@sallyport/decision';
import { version } from '../version.js';
import { serving } from './asking.js';
import { type Ground, serviceKey } from './ground.js';
import { liveVerdicts } from './live-verdicts.js';
import { partByPart, type Service } from './service.js';

/** Verdicts for edges and vendors, and the answers of people to what is held. */
export async function startDecision(ground: Ground): Promise<Service> {
  const { bus, config, live, roster, installation, distrust, log } = ground;
  const { limits } = config;
  return partByPart(log, async (stops) => {
    const identity = oidcIdentity({ providers: ground.providers, limits });
    stops.push(() => identity.close());
    const key = await serviceKey(config, 'decision');
    const decision = await createDecision({
      bus,
      key,
      roster,
      installation: installation.id,
      version: version(),
      policy: live,
      metrics: distrust,
      transport: serving('decide', { bus, key, roster, log }, limits),
      identity,
      engine: live.engine,
      verdicts: liveVerdicts(live, limits, log),
      limits,
      log,
    });
    stops.push(() => decision.close());
    return { listeners: {}, metrics: async () => [], notReady: () => [], close: () => stops.run() };
  });
}
