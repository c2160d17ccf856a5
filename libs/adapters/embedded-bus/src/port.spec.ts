import { type Bus, type BusRecord, TOPICS } from '@sallyport/bus';
import { once } from 'node:events';
import fs from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { MessageChannel, Worker } from 'node:worker_threads';
import { connectBus, openEmbeddedBus, serveBus } from './index.js';

const LOADER = new URL('../../../../test/typescript-loader/register.mjs', import.meta.url).href;
const WORKER = fileURLToPath(new URL('./port-worker.ts', import.meta.url));

describe('a bus at the other end of a port', () => {
  let dir: string;
  let owner: Bus;

  beforeEach(async () => {
    dir = await fs.mkdtemp(join(tmpdir(), 'bus-'));
    owner = await openEmbeddedBus({ dir, segmentBytes: 64 * 1024 });
  });
  afterEach(async () => {
    await owner.close();
    await fs.rm(dir, { recursive: true });
  });

  async function seenIn(topic: string, count: number): Promise<string[]> {
    const seen: BusRecord[] = [];
    await new Promise<void>((resolve) => {
      void owner.consume({ topic, start: { at: 'earliest' }, onBatch: async (batch) => void (seen.push(...batch) >= count && resolve()) });
    });
    return seen.map((record) => record.value.toString());
  }

  function startWorker(): { worker: Worker; message: Promise<unknown> } {
    const { port1, port2 } = new MessageChannel();
    serveBus(owner, port1);
    const worker = new Worker(WORKER, {
      workerData: { port: port2 },
      transferList: [port2],
      execArgv: ['--conditions=development', '--import', LOADER],
    });
    const message = Promise.race([
      once(worker, 'message').then(([value]: unknown[]) => value),
      once(worker, 'error').then(([error]) => Promise.reject(error as Error)),
    ]);
    return { worker, message };
  }

  it('works in a real worker thread, errors with their code, and lets it end', async () => {
    const { worker, message } = startWorker();
    const exited = once(worker, 'exit');
    expect(await message).toBe('BUS_TOPIC');
    await owner.produce(TOPICS.control, [
      { key: 'a', value: Buffer.from('1') },
      { key: 'a', value: Buffer.from('2') },
    ]);
    expect(await seenIn(TOPICS.leases, 2)).toEqual(['seen 1', 'seen 2']);
    worker.postMessage('end');
    expect(await exited).toEqual([0]);
  });

  it("a worker that dies gives its group's partitions back", async () => {
    const { worker, message } = startWorker();
    await message;
    await worker.terminate();
    await owner.produce(TOPICS.control, [{ key: 'a', value: Buffer.from('after') }]);
    const [record] = await new Promise<readonly BusRecord[]>((resolve) => {
      void owner.consume({ topic: TOPICS.control, group: 'worker', start: { at: 'earliest' }, onBatch: async (batch) => resolve(batch) });
    });
    expect(record!.value.toString()).toBe('after');
  });

  it('P9: bounds what is under way', async () => {
    const { port1, port2 } = new MessageChannel();
    serveBus(owner, port1);
    const bus = connectBus(port2, { maxCalls: 3, maxProduceBytes: 1000 });
    const one = (bytes: number) => bus.produce(TOPICS.control, [{ key: null, value: Buffer.alloc(bytes) }]);
    const busy = expect.objectContaining({ code: 'BUS_BUSY' }) as unknown;
    const results = await Promise.allSettled([one(10), one(10), one(10), one(10)]);
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'fulfilled', 'rejected']);
    expect(results[3]).toMatchObject({ reason: busy });
    const large = await Promise.allSettled([one(5000), one(1)]);
    expect(large).toMatchObject([{ status: 'fulfilled' }, { reason: busy }]);
    await one(1);
    await bus.close();
  });

  it('takes the value alone across, and leaves the caller its buffer', async () => {
    const { port1, port2 } = new MessageChannel();
    const served = serveBus(owner, port1);
    const bus = connectBus(port2);
    const large = Buffer.alloc(2 ** 20, 'x');
    const [placed] = await bus.produce(TOPICS.control, [{ key: null, value: large.subarray(10, 15) }]);
    expect(large).toHaveLength(2 ** 20);
    const [record] = await bus.read(TOPICS.control, 0, placed!.offset, 1);
    expect(record!.value.buffer.byteLength).toBe(5);
    await served.close();
    await once(port2, 'close');
    await expect(bus.ends(TOPICS.control)).rejects.toMatchObject({ code: 'BUS_CLOSED' });
  });
});
