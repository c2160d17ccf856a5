/** A Nest service in a thread of its own, for worker.spec.ts: its bus is at the other end of a port. */
import 'reflect-metadata';
import { Controller, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { MessagePattern, Payload, RpcException } from '@nestjs/microservices';
import { connectBus } from '@sallyport/adapter-embedded-bus';
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

const bus = connectBus((workerData as { readonly port: MessagePort }).port);
const app = await NestFactory.createMicroservice(ThreadModule, { strategy: new BusServer({ bus, service: 'lease' }), logger: false });
await app.listen();

async function end(): Promise<void> {
  await app.close();
  await bus.close();
  parentPort!.close();
}

parentPort!.on('message', () => void end());
parentPort!.postMessage('ready');
