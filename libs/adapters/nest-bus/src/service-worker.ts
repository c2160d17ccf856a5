/** A Nest service in a thread of its own, for worker.spec.ts: its bus is at the other end of a port. */
import 'reflect-metadata';
import { Controller, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { MessagePattern, Payload, RpcException } from '@nestjs/microservices';
import { connectBus } from '@sallyport/adapter-embedded-bus';
import { parseVerifierKeys, signingKeyFromPem } from '@sallyport/events';
import { fixedRoster } from '@sallyport/trust';
import { type MessagePort, parentPort, threadId, workerData } from 'node:worker_threads';
import { BusServer } from './index.js';

@Controller()
class ThreadController {
  @MessagePattern('where')
  where(@Payload() data: { readonly n: number }): { readonly n: number; readonly threadId: number } {
    if (data.n < 0) throw new RpcException({ code: 'NEGATIVE', message: 'less than nothing' });
    return { n: data.n, threadId };
  }
}

@Module({ controllers: [ThreadController] })
class ThreadModule {}

const { port, pem, enrolled } = workerData as { readonly port: MessagePort; readonly pem: string; readonly enrolled: string };
const bus = connectBus(port);
const strategy = new BusServer({
  bus,
  service: 'lease',
  key: signingKeyFromPem('vendor/v1', pem),
  roster: fixedRoster(parseVerifierKeys(enrolled)),
  callers: { where: ['edge'] },
});
const app = await NestFactory.createMicroservice(ThreadModule, { strategy, logger: false });
await app.listen();

async function end(): Promise<void> {
  await app.close();
  await bus.close();
  parentPort!.close();
}

parentPort!.on('message', () => void end());
parentPort!.postMessage('ready');
