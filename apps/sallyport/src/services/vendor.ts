import { createVendor } from '@sallyport/vendor';
import { serving } from './asking.js';
import { type Ground, serviceKey } from './ground.js';
import { type Service, Stops } from './service.js';
import { vendorResources } from './targets.js';

/** Makes and drops credentials; alone has those of the administrators. */
export async function startVendor({ bus, config, baseDir, env, installation, roster, log }: Ground): Promise<Service> {
  const { limits } = config;
  const stops = new Stops((error) => log.warn({ err: error }, 'a part did not stop cleanly'));
  try {
    const vendor = await createVendor({
      bus,
      transport: serving('lease', { bus, key: await serviceKey(config, 'vendor'), roster, log }, limits),
      resources: vendorResources(config, baseDir, env),
      installation: installation.id,
      limits: { maxLeases: limits.maxLeases },
      onError: (code, message) => log.warn({ service: 'vendor', code }, message),
    });
    stops.push(() => vendor.close());
    return { listeners: {}, metrics: async () => [], notReady: () => [], close: () => stops.run() };
  } catch (error) {
    await stops.run();
    throw error;
  }
}
