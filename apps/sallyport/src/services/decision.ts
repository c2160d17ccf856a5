import { BusServer } from '@sallyport/adapter-nest-bus';
import { oidcIdentity } from '@sallyport/adapter-oidc';
import { createDecision } from '@sallyport/decision';
import { recordActivations } from './activations.js';
import { type Ground, serviceKey } from './ground.js';
import { liveVerdicts } from './live-verdicts.js';
import { type Service, Stops } from './service.js';

/** Verdicts for edges and vendors, and the answers of people to what is held. */
export async function startDecision(ground: Ground): Promise<Service> {
  const { bus, config, live, log } = ground;
  const { limits } = config;
  const stops = new Stops((error) => log.warn({ err: error }, 'a part did not stop cleanly'));
  try {
    const identity = oidcIdentity({ providers: ground.providers, limits });
    stops.push(() => identity.close());
    const decision = await createDecision({
      bus,
      transport: new BusServer({ bus, service: 'decide', maxRunningRequests: limits.maxRunningRequests }),
      identity,
      engine: live.engine,
      verdicts: liveVerdicts(live, limits, log),
      holdTimeoutMs: limits.holdTimeoutMs,
      log,
    });
    stops.push(() => decision.close());
    await recordActivations({ bus, key: await serviceKey(config, 'decision'), live, log });
    return { listeners: {}, metrics: async () => [], notReady: () => [], close: () => stops.run() };
  } catch (error) {
    await stops.run();
    throw error;
  }
}
