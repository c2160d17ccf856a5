/** Holds the buses of worker.spec.ts in a thread of their own. */
import type { Bus } from '@sallyport/bus';
import { type MessagePort, parentPort } from 'node:worker_threads';
import { openEmbeddedBus } from './embedded-bus.js';
import { serveBus } from './port/serve-bus.js';

type Order = { readonly id: number } & ({ readonly open: string; readonly port: MessagePort } | { readonly close: number });

const buses = new Map<number, Bus>();

async function carryOut(order: Order): Promise<void> {
  if ('open' in order) {
    const bus = await openEmbeddedBus({ dir: order.open, partitions: 2, segmentBytes: 256 * 1024, preallocateBytes: 64 * 1024 });
    buses.set(order.id, bus);
    serveBus(bus, order.port);
  } else {
    await buses.get(order.close)?.close();
  }
  parentPort!.postMessage(order.id);
}

parentPort!.on('message', (order: Order) => void carryOut(order));
