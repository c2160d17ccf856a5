import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openEmbeddedBus } from '@sallyport/adapter-embedded-bus';
import { announce } from '@sallyport/trust';
import { enrolled } from '@sallyport/trust/testing';
import { checkInstallation } from './same-installation.js';

it('a service of another installation is told at the start; strangers, and what one said oneself before, don’t count', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'installation-'));
  const bus = await openEmbeddedBus({ dir: directory, segmentBytes: 64 * 1024 });
  try {
    const { roster, keys } = enrolled('edge/e1', 'vendor/v1');
    const { keys: strangers } = enrolled('edge/e2');
    const said = { version: '0', nowMs: 0 };
    await announce(bus, keys['edge/e1'], { ...said, installation: 'a' });
    await announce(bus, keys['vendor/v1'], { ...said, installation: 'old' });
    await announce(bus, strangers['edge/e2'], { ...said, installation: 'c' });
    await checkInstallation(bus, roster, 'vendor/v1', 'a');
    await expect(checkInstallation(bus, roster, 'vendor/v1', 'b')).rejects.toMatchObject({
      code: 'INSTALLATION_DIFFERS',
      message: expect.stringContaining('edge/e1 belongs to the installation a') as string,
    });
    // The last word of a service counts.
    await announce(bus, keys['edge/e1'], { ...said, installation: 'b' });
    await checkInstallation(bus, roster, 'vendor/v1', 'b');
  } finally {
    await bus.close();
    await rm(directory, { recursive: true });
  }
});
