/** The far end of worker.spec.ts: does what it is told with the bus behind its port. */
import { TOPICS } from '@sallyport/bus';
import { parentPort, workerData } from 'node:worker_threads';
import type { MessagePort } from 'node:worker_threads';
import { connectBus } from './port/connect-bus.js';

const bus = connectBus((workerData as { port: MessagePort }).port);
await bus.consume({
  topic: TOPICS.control,
  group: 'worker',
  start: { at: 'earliest' },
  async onBatch(batch, context) {
    await bus.produce(
      TOPICS.leases,
      batch.map(({ key, value }) => ({ key, value: Buffer.concat([Buffer.from('seen '), value]) })),
    );
    await context.commit();
  },
});
parentPort!.on('message', () => void bus.close().then(() => parentPort!.close()));
try {
  await bus.produce('no.such.topic', []);
} catch (error) {
  parentPort!.postMessage((error as { code: string }).code);
}
