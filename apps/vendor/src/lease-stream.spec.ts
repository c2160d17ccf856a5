import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openEmbeddedBus } from '@sallyport/adapter-embedded-bus';
import { type Bus, TOPICS } from '@sallyport/bus';
import { type Lease, leaseBook } from '@sallyport/lease';
import { enrolled } from '@sallyport/trust/testing';

import { followLeases, leaseRecord } from './lease-stream.js';

const { roster, keys } = enrolled('vendor/v1');
const NOW = 1_800_000_000_000;
const lease: Lease = {
  id: 'a'.repeat(32),
  session: 's',
  resource: 'shop',
  source: 'postgres-role',
  profiles: [],
  login: 'x',
  expiresAtMs: NOW + 60_000,
};

let directory: string;
let bus: Bus;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sallyport-leases-'));
  bus = await openEmbeddedBus({ dir: directory });
});
afterEach(async () => {
  await bus.close();
  await rm(directory, { recursive: true, force: true });
});

/** Holds the first batch back until it is let go: a bus that is slow. */
function slow(): { readonly bus: Bus; letGo(): void } {
  let letGo = (): void => undefined;
  const gone = new Promise<void>((resolve) => (letGo = resolve));
  return {
    letGo: () => letGo(),
    bus: {
      ...(bus as object),
      ends: (topic: string) => bus.ends(topic),
      read: (...args: Parameters<Bus['read']>) => bus.read(...args),
      consume: (options: Parameters<Bus['consume']>[0]) =>
        bus.consume({ ...options, onBatch: async (batch, context) => gone.then(() => options.onBatch(batch, context)) }),
    } as Bus,
  };
}

const follow = (from: Bus, book = leaseBook()) =>
  followLeases({
    bus: from,
    roster,
    book,
    sinceMs: NOW - 3_600_000,
    settleTimeoutMs: 5000,
    onError: (error) => expect(error).toBeUndefined(),
  });

describe('whether the book has every lease', () => {
  it('P4: a record of somebody with an old time, behind a lease, makes nobody sweep before the lease is read', async () => {
    await leaseRecord(bus, keys['vendor/v1'], () => NOW).issued(lease);
    await bus.produce(TOPICS.leases, [{ key: 'x', value: Buffer.from('x'), timestampMs: 1 }]);
    const book = leaseBook();
    const held = slow();
    const leases = await follow(held.bus, book);
    let isSettled = false;
    const settled = leases.settled().then(() => (isSettled = true));
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(isSettled).toBe(false);
    held.letGo();
    await settled;
    expect(book.isLive(lease.id)).toBe(true);
    await leases.close();
  });

  it('waits for nothing where all is from before the start', async () => {
    await leaseRecord(bus, keys['vendor/v1'], () => 1).issued(lease);
    const book = leaseBook();
    const leases = await follow(bus, book);
    await leases.settled();
    expect(book.size).toBe(0);
    await leases.close();
  });
});
