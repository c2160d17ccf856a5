import { openEmbeddedBus, serveBus } from '@sallyport/adapter-embedded-bus';
import { formatVerifierKeys, generateSigningKey, signingKeyFromPem } from '@sallyport/events';
import { fixedRoster } from '@sallyport/trust';
import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import fs from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { MessageChannel, threadId, Worker } from 'node:worker_threads';
import { BusClient } from './index.js';

const LOADER = new URL('../../../../test/typescript-loader/register.mjs', import.meta.url).href;
const SERVICE = fileURLToPath(new URL('./service-worker.ts', import.meta.url));

it('a service in another thread answers as one in this thread does', async () => {
  const dir = await fs.mkdtemp(join(tmpdir(), 'nest-bus-'));
  const bus = await openEmbeddedBus({ dir, segmentBytes: 64 * 1024 });
  const pem = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  const key = generateSigningKey('edge/e1');
  const keys = [key, signingKeyFromPem('vendor/v1', pem)];
  const { port1, port2 } = new MessageChannel();
  serveBus(bus, port1);
  const worker = new Worker(SERVICE, {
    workerData: { port: port2, pem, enrolled: formatVerifierKeys(keys) },
    transferList: [port2],
    execArgv: ['--conditions=development', '--import', LOADER],
  });
  const exited = once(worker, 'exit');
  await Promise.race([once(worker, 'message'), once(worker, 'error').then(([error]) => Promise.reject(error as Error))]);
  const client = new BusClient({ bus, service: 'lease', key, roster: fixedRoster(keys) });
  const answers = await Promise.all(Array.from({ length: 100 }, (_, n) => client.request<{ n: number; threadId: number }>('where', { n })));
  expect(answers.map(({ n }) => n)).toEqual(Array.from({ length: 100 }, (_, n) => n));
  expect(answers[0]!.threadId).not.toBe(threadId);
  await expect(client.request('where', { n: -1 })).rejects.toMatchObject({ code: 'NEGATIVE' });
  worker.postMessage('end');
  expect(await exited).toEqual([0]);
  await client.close();
  await bus.close();
  await fs.rm(dir, { recursive: true });
});
