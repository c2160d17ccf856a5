import { VENDOR_LIMITS } from '@sallyport/lease';
import { oidcIdentity } from '@sallyport/adapter-oidc';
import { announce } from '@sallyport/trust';
import { createVendor } from '@sallyport/vendor';
import { serving } from './asking.js';
import { type Ground, serviceKey } from './ground.js';
import { partByPart, type Service } from './service.js';
import { vendorResources } from './targets.js';
import { openVerdicts } from './verdicts.js';
import { version } from '../version.js';

/** Makes and drops credentials; alone has those of the administrators. */
export async function startVendor(ground: Ground): Promise<Service> {
  const { bus, config, baseDir, env, installation, roster, log } = ground;
  const { limits } = config;
  return partByPart(log, async (stops) => {
    const key = await serviceKey(config, 'vendor');
    const party = { bus, key, roster, log };
    const policy = await openVerdicts(config.policy.decisions, ground.live, party, limits);
    stops.push(() => policy.close());
    // Its clock may differ from the issuer's as from the edges'.
    const identity = oidcIdentity({ providers: ground.providers, limits, skewMs: VENDOR_LIMITS.clockSkewMs });
    stops.push(() => identity.close());
    const vendor = await createVendor({
      bus,
      key,
      roster,
      identity,
      verdicts: policy.verdicts,
      transport: serving('lease', party, limits),
      resources: vendorResources(config, baseDir, env),
      installation: installation.id,
      revocationSkewMs: limits.revocationSkewMs,
      limits: { maxLeases: limits.maxLeases },
      onError: (code, message) => log.warn({ service: 'vendor', code }, message),
    });
    stops.push(() => vendor.close());
    await announce(bus, key, { installation: installation.id, version: version(), nowMs: Date.now() });
    return { listeners: {}, metrics: async () => [], notReady: () => [], close: () => stops.run() };
  });
}
