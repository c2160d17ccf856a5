import 'reflect-metadata';
import { Controller, type INestMicroservice, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Ctx, EventPattern, MessagePattern, Payload, RpcException } from '@nestjs/microservices';
import { openEmbeddedBus } from '@sallyport/adapter-embedded-bus';
import { type Bus, TOPICS } from '@sallyport/bus';
import { enrolled } from '@sallyport/trust/testing';
import fs from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { from, lastValueFrom, toArray } from 'rxjs';
import {
  BUS_CLIENT_LIMITS,
  BUS_SERVER_LIMITS,
  BusClient,
  type BusClientOptions,
  type BusContext,
  BusMessage,
  BusServer,
  type BusServerOptions,
  type RequestService,
} from './index.js';

const { keys, roster } = enrolled('edge/e1', 'decision/d1');
const CALLERS = Object.fromEntries(
  ['echo', 'nothing', 'numbers', 'refuse', 'crash', 'bigint', 'wait', 'who', 'missing', TOPICS.control].map((pattern) => [
    pattern,
    ['edge'] as const,
  ]),
);
const seen: string[] = [];
let failures = 0;
let handled = 0;
let running = 0;
let mostRunning = 0;
let release: (() => void)[] = [];

@Controller()
class EchoController {
  @MessagePattern('echo')
  echo(@Payload() data: unknown): unknown {
    handled += 1;
    return data;
  }

  @MessagePattern('nothing')
  nothing(): void {
    handled += 1;
  }

  @MessagePattern('numbers')
  numbers(): unknown {
    return from([1, 2, 3]);
  }

  @MessagePattern('refuse')
  async refuse(): Promise<never> {
    throw new RpcException({ code: 'LEASE_REFUSED', message: 'not for you' });
  }

  @MessagePattern('crash')
  crash(): never {
    throw new Error('the database password is hunter2');
  }

  @MessagePattern('bigint')
  bigint(): unknown {
    return { n: 1n };
  }

  @MessagePattern('who')
  who(@Ctx() context: BusContext): unknown {
    return { ...context.caller, topic: context.record.topic };
  }

  @MessagePattern('wait')
  async wait(): Promise<string> {
    handled += 1;
    running += 1;
    mostRunning = Math.max(mostRunning, running);
    await new Promise<void>((resolve) => release.push(resolve));
    running -= 1;
    return 'done';
  }

  @EventPattern(TOPICS.control)
  control(@Payload() event: { n: number }, @Ctx() context: unknown): void {
    const { record } = context as BusContext;
    if (event.n === 2 && failures++ < 2) throw new Error('try again');
    seen.push(`${event.n} at ${record.offset}: ${record.value.toString()}`);
  }
}

@Module({ controllers: [EchoController] })
class EchoModule {}

describe('Nest over the bus', () => {
  let dir: string;
  let bus: Bus;
  let apps: INestMicroservice[];
  let clients: BusClient[];

  beforeEach(async () => {
    seen.length = 0;
    [failures, handled, running, mostRunning, release] = [0, 0, 0, 0, []];
    dir = await fs.mkdtemp(join(tmpdir(), 'nest-bus-'));
    bus = await openEmbeddedBus({ dir, segmentBytes: 64 * 1024 });
    apps = [];
    clients = [];
  });
  afterEach(async () => {
    for (const proceed of release) proceed();
    for (const client of clients) await client.close();
    for (const app of apps) await app.close();
    await bus.close();
    await fs.rm(dir, { recursive: true });
  });

  async function serve(options: Partial<BusServerOptions> = {}): Promise<INestMicroservice> {
    const app = await NestFactory.createMicroservice(EchoModule, {
      strategy: new BusServer({ bus, service: 'decide', key: keys['decision/d1'], roster, callers: CALLERS, ...options }),
      logger: false,
    });
    apps.push(app);
    await app.listen();
    return app;
  }

  function client(options: Partial<BusClientOptions> = {}): BusClient {
    const made = new BusClient({ bus, service: 'decide', key: keys['edge/e1'], roster, ...options });
    clients.push(made);
    return made;
  }

  async function eventually(holds: () => boolean): Promise<void> {
    for (const until = Date.now() + 10_000; !holds(); await new Promise((resolve) => setTimeout(resolve, 5))) {
      if (Date.now() > until) throw new Error('did not happen');
    }
  }

  it('answers requests, many at once, each with its own answer', async () => {
    await serve();
    const asked = client();
    const other = client();
    const data = { text: 'ü', list: [1, null, { deep: true }] };
    expect(await asked.request('echo', data)).toEqual(data);
    const answers = await Promise.all(Array.from({ length: 200 }, (_, n) => (n % 2 ? asked : other).request('echo', { n })));
    expect(answers).toEqual(Array.from({ length: 200 }, (_, n) => ({ n })));
    expect(await asked.request('nothing', {})).toBeUndefined();
    expect(await lastValueFrom(asked.send('numbers', {}).pipe(toArray()))).toEqual([1, 2, 3]);
    expect([asked.outstanding, other.outstanding]).toEqual([0, 0]);
  });

  it('shares requests among the instances of a service', async () => {
    await serve();
    await serve();
    for (let n = 0; n < 10; n++) await client().request('echo', n);
    expect(handled).toBe(10);
  });

  it('a request that is older than its server is answered all the same', async () => {
    const answer = client().request('echo', 'early');
    await serve();
    expect(await answer).toBe('early');
  });

  it('P3: errors arrive with their code, and nothing that the handler did not mean to tell', async () => {
    await serve();
    const asked = client();
    await expect(asked.request('refuse', {})).rejects.toMatchObject({
      name: 'RequestError',
      code: 'LEASE_REFUSED',
      message: 'not for you',
    });
    await expect(asked.request('crash', {})).rejects.toMatchObject({ code: 'BUS_HANDLER_FAILED', message: 'Internal server error' });
    await expect(asked.request('missing', {})).rejects.toMatchObject({ code: 'BUS_NO_HANDLER' });
    await expect(asked.request(TOPICS.control, {})).rejects.toMatchObject({ code: 'BUS_NO_HANDLER' });
    await expect(asked.request('bigint', {})).rejects.toMatchObject({ code: 'BUS_PAYLOAD_MALFORMED' });
    await expect(asked.request('echo', { n: 1n })).rejects.toMatchObject({ code: 'BUS_PAYLOAD_MALFORMED' });
    await expect(client({ service: 'nobody' as RequestService }).request('echo', {})).rejects.toMatchObject({ code: 'BUS_TOPIC' });
    expect(asked.outstanding).toBe(0);
  });

  it('P9: has limits with defaults', () => {
    const gathering = { maxBatchRequests: 256, maxBatchBytes: 256 * 1024, maxUnsentBytes: 16 * 2 ** 20 };
    expect(BUS_CLIENT_LIMITS).toEqual({
      requestTimeoutMs: 5000,
      maxOutstandingRequests: 1024,
      maxRecordBytes: 4 * 2 ** 20,
      maxRecordsInFlight: 4,
      partitionsMaxAgeMs: 300_000,
      ...gathering,
    });
    expect(BUS_SERVER_LIMITS).toEqual({
      maxRunningRequests: 256,
      maxRunningPerCaller: 192,
      maxWaitingPerCaller: 4096,
      maxWaitingBytesPerCaller: 16 * 2 ** 20,
      drainTimeoutMs: 10_000,
      maxRecordBytes: 4 * 2 ** 20,
      maxClockSkewMs: 600_000,
      clockMemoryMs: 60_000,
      maxRequestTimeoutMs: 600_000,
      ...gathering,
    });
  });

  it('P9: requestTimeoutMs, and each request may have its own', async () => {
    await serve();
    const asked = client({ requestTimeoutMs: 30 });
    await expect(asked.request('wait', {})).rejects.toMatchObject({ code: 'BUS_REQUEST_TIMEOUT' });
    const patient = asked.request('wait', {}, { timeoutMs: 20_000 });
    await eventually(() => release.length === 2);
    for (const proceed of release) proceed();
    expect(await patient).toBe('done');
    expect(asked.outstanding).toBe(0);
  });

  it('P9: maxOutstandingRequests', async () => {
    await serve();
    const asked = client({ maxOutstandingRequests: 2 });
    const waiting = [asked.request('wait', {}), asked.request('wait', {})];
    await eventually(() => release.length === 2);
    await expect(asked.request('echo', {})).rejects.toMatchObject({ code: 'BUS_TOO_MANY_REQUESTS' });
    for (const proceed of release) proceed();
    await Promise.all(waiting);
    expect(await asked.request('echo', 'again')).toBe('again');
  });

  it('P9: maxRunningRequests: the next wait for a place, and a handler that hangs loses it when nobody waits for it any more', async () => {
    await serve({ maxRunningRequests: 2, maxRunningPerCaller: 2 });
    const asked = client();
    const hanging = [1, 2].map(() => asked.request('wait', {}, { timeoutMs: 200 }));
    const next = asked.request('echo', 'next', { timeoutMs: 20_000 });
    const results = await Promise.allSettled(hanging);
    expect(results).toMatchObject([{ reason: { code: 'BUS_REQUEST_TIMEOUT' } }, { reason: { code: 'BUS_REQUEST_TIMEOUT' } }]);
    expect(await next).toBe('next');
    expect(mostRunning).toBe(2);
  });

  it('P2: a request that nobody waits for any more when its turn comes is not handled', async () => {
    let expired = 0;
    await serve({ maxRunningRequests: 1, onExpired: () => (expired += 1) });
    const asked = client();
    const first = asked.request('wait', {});
    await eventually(() => release.length === 1);
    await expect(asked.request('nothing', {}, { timeoutMs: 20 })).rejects.toMatchObject({ code: 'BUS_REQUEST_TIMEOUT' });
    await new Promise((resolve) => setTimeout(resolve, 20));
    release[0]!();
    expect(await first).toBe('done');
    expect(await asked.request('echo', 1)).toBe(1);
    expect([expired, handled]).toEqual([1, 2]);
  });

  it('tells a handler who asks', async () => {
    await serve();
    expect(await client().request('who', {})).toEqual({ name: 'edge/e1', role: 'edge', topic: 'sallyport.decide.requests' });
  });

  it('closing the client ends who waits; closing the server waits for what runs', async () => {
    const app = await serve();
    const asked = client();
    const abandoned = asked.request('wait', {});
    await eventually(() => release.length === 1);
    const ended = Promise.allSettled([abandoned]);
    await asked.close();
    expect(await ended).toMatchObject([{ reason: { code: 'BUS_CLOSED' } }]);
    const answer = client().request('wait', {});
    await eventually(() => release.length === 2);
    const closed = app.close();
    for (const proceed of release) proceed();
    expect(await answer).toBe('done');
    await closed;
    apps = [];
  });

  it('P9: drainTimeoutMs: a handler that hangs keeps no server from closing, and its end is no answer', async () => {
    const app = await serve({ drainTimeoutMs: 20 });
    const ended = Promise.allSettled([client().request('wait', {}, { timeoutMs: 300 })]);
    await eventually(() => release.length === 1);
    await app.close();
    apps = [];
    expect(await ended).toMatchObject([{ reason: { code: 'BUS_REQUEST_TIMEOUT' } }]);
  });

  it('P7: record topics are consumed by group, in order, committed behind the handler, and nothing is skipped', async () => {
    const emitter = client();
    const emit = (n: number) => lastValueFrom(emitter.emit(TOPICS.control, new BusMessage({ n }, { key: 'k' })));
    for (const n of [1, 2, 3]) await emit(n);
    const app = await serve();
    await eventually(() => seen.at(-1)?.startsWith('3') === true);
    expect(failures).toBe(3);
    expect([...new Set(seen)]).toEqual(['1 at 0: {"n":1}', '2 at 1: {"n":2}', '3 at 2: {"n":3}']);
    await new Promise((resolve) => setTimeout(resolve, 50));
    await app.close();
    apps = [];
    seen.length = 0;
    await emit(4);
    await serve();
    await eventually(() => seen.length > 0);
    expect(seen).toEqual(['4 at 3: {"n":4}']);
  });

  it('an event record that is not JSON stops its partition rather than being passed over', async () => {
    const errors: unknown[] = [];
    const strategy = new BusServer({ bus, service: 'decide', key: keys['decision/d1'], roster });
    (strategy as unknown as { logger: { error: (error: unknown) => void } }).logger = { error: (error) => errors.push(error) };
    const app = await NestFactory.createMicroservice(EchoModule, { strategy, logger: false });
    apps.push(app);
    await app.listen();
    await bus.produce(TOPICS.control, [{ key: 'k', value: Buffer.from('secret {') }]);
    await eventually(() => errors.length > 0);
    expect(errors[0]).toMatchObject({ code: 'BUS_PAYLOAD_MALFORMED' });
    expect(String(errors[0])).not.toContain('secret');
  });

  it('a server that can not listen says so', async () => {
    await expect(serve({ service: 'lease' })).rejects.toMatchObject({ code: 'BUS_NOT_ALLOWED' });
    apps = [];
  });
});
