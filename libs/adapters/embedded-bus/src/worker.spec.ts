import { busConformance } from '@sallyport/bus/conformance';
import fs from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { MessageChannel, type TransferListItem, Worker } from 'node:worker_threads';
import { connectBus } from './index.js';

const LOADER = new URL('../../../../test/typescript-loader/register.mjs', import.meta.url).href;
let worker: Worker;
let orders = 0;

beforeAll(() => {
  worker = new Worker(fileURLToPath(new URL('./owner-worker.ts', import.meta.url)), {
    execArgv: ['--conditions=development', '--import', LOADER],
  });
});
afterAll(() => worker.terminate());

async function order(what: object, transfer: readonly TransferListItem[] = []): Promise<number> {
  const id = ++orders;
  const done = new Promise<void>((resolve) => {
    const listen = (answer: number): void => {
      if (answer !== id) return;
      worker.off('message', listen);
      resolve();
    };
    worker.on('message', listen);
  });
  worker.postMessage({ ...what, id }, transfer);
  await done;
  return id;
}

busConformance('embedded, in another thread', async () => {
  const dir = await fs.mkdtemp(join(tmpdir(), 'bus-'));
  const start = async () => {
    const { port1, port2 } = new MessageChannel();
    return { owner: await order({ open: dir, port: port1 }, [port1]), bus: connectBus(port2) };
  };
  let { owner, bus } = await start();
  const end = async () => {
    await bus.close();
    await order({ close: owner });
  };
  return {
    bus,
    async reopen() {
      await end();
      ({ owner, bus } = await start());
      return bus;
    },
    async stop() {
      await end();
      await fs.rm(dir, { recursive: true });
    },
  };
});
