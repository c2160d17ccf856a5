import { type Bus, type BusRecord, type OutgoingRecord, TOPICS } from '@sallyport/bus';
import { freePort } from '@sallyport/adapter-embedded-postgres';
import { once } from 'node:events';
import net from 'node:net';
import { Cluster } from './cluster.js';
import { groupId } from './consume/group-id.js';
import { committedOffsets } from './consume/group-requests.js';
import { openKafkaBus } from './kafka-bus.js';
import { type KafkaLimits, kafkaSettings } from './options.js';
import { deleteRecordsBefore } from './testing/delete-records.js';
import { eventually, freshTopics, kafkaInstalled, lossyProxy, type LossyProxy, startKafka, type TestKafka } from './testing/index.js';
import { addPartitions, configureTopic } from './topics/topic-requests.js';

const TOPIC = TOPICS.sessions;
const TRANSIENT = 'sallyport.decide.limits';

describe('kafka options', () => {
  it.each([
    ['no broker', { brokers: [] }],
    ['a broker without a port', { brokers: ['kafka'] }],
    ['a limit of nothing', { brokers: ['kafka:9092'], limits: { maxBatchRecords: 0 } }],
    ['a heart slower than the session', { brokers: ['kafka:9092'], limits: { sessionTimeoutMs: 500, heartbeatIntervalMs: 400 } }],
  ])('refuse %s', async (_, options) => {
    await expect(openKafkaBus(options)).rejects.toMatchObject({ code: 'BUS_OPTION' });
  });

  it('take addresses of both kinds', () => {
    expect(() => kafkaSettings({ brokers: ['[::1]:9092', 'kafka-1.example:9092', '127.0.0.1:9092'] })).not.toThrow();
  });

  it('P9: connectTimeoutMs: a server that takes connections and says nothing is given up', async () => {
    const server = net.createServer((socket) => socket.on('error', () => undefined));
    const port = await freePort();
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    const limits = { connectTimeoutMs: 100, callTimeoutMs: 300 };
    await expect(openKafkaBus({ brokers: [`127.0.0.1:${port}`], limits })).rejects.toMatchObject({ code: 'BUS_FAILED' });
    server.close();
  });
});

(kafkaInstalled() ? describe : describe.skip)('kafka limits', () => {
  let kafka: TestKafka;
  let proxy: LossyProxy;
  let open: Bus[];
  let cluster: Cluster;
  beforeAll(async () => {
    const port = await freePort();
    proxy = await lossyProxy(() => port);
    kafka = await startKafka({
      properties: {
        listeners: `PLAINTEXT://127.0.0.1:@PORT@,LOSSY://127.0.0.1:${port},CONTROLLER://127.0.0.1:@CPORT@`,
        'advertised.listeners': `PLAINTEXT://127.0.0.1:@PORT@,LOSSY://127.0.0.1:${proxy.port}`,
        'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,LOSSY:PLAINTEXT,CONTROLLER:PLAINTEXT',
        'group.min.session.timeout.ms': '500',
      },
    });
    cluster = new Cluster(kafkaSettings({ brokers: kafka.brokers }));
  }, 120_000);
  afterAll(async () => {
    cluster?.close();
    await kafka?.stop();
    await proxy?.close();
  });
  beforeEach(async () => {
    open = [];
    proxy.refuses = false;
    await freshTopics({ brokers: kafka.brokers }, { [TOPIC]: 2, [TRANSIENT]: 1 });
    cluster.forget(TOPIC);
    cluster.forget(TRANSIENT);
  });
  afterEach(async () => {
    for (const bus of open) await bus.close();
  });

  async function openBus(limits: Partial<KafkaLimits> = {}, brokers = kafka.brokers): Promise<Bus> {
    const bus = await openKafkaBus({ brokers, limits });
    open.push(bus);
    return bus;
  }

  const record = (value: string | Buffer, partition = 0): OutgoingRecord => ({ key: 'k', value: Buffer.from(value), partition });
  const numbered = (count: number, partition = 0): OutgoingRecord[] => Array.from({ length: count }, (_, n) => record(`${n}`, partition));
  const texts = (records: readonly BusRecord[]): string[] => records.map(({ value }) => value.toString());

  it('P9: maxRecordBytes', async () => {
    const bus = await openBus({ maxRecordBytes: 1000 });
    const tooLarge = { code: 'BUS_RECORD_TOO_LARGE' };
    await expect(bus.produce(TOPIC, [record('small'), record(Buffer.alloc(1001))])).rejects.toMatchObject(tooLarge);
    await expect(bus.produce(TOPIC, [{ key: 'k'.repeat(1000), value: Buffer.alloc(0) }])).rejects.toMatchObject(tooLarge);
    await bus.produce(TOPIC, [record(Buffer.alloc(900))]);
    expect((await bus.ends(TOPIC)).reduce((sum, { next }) => sum + next, 0n)).toBe(1n);
  });

  it("P9: the topic's max.message.bytes: batches are made as small as it wants, and what is larger alone is refused", async () => {
    const bus = await openBus();
    await configureTopic(cluster, TOPIC, { 'max.message.bytes': '4000' });
    const large = record(Buffer.alloc(5000, 'x'));
    await eventually('the broker knows', () =>
      bus.produce(TOPIC, [large]).then(
        () => false,
        (error: { code: string }) => error.code === 'BUS_RECORD_TOO_LARGE',
      ),
    );
    const { next: before } = (await bus.ends(TOPIC))[0]!;
    const calls = Array.from({ length: 10 }, (_, call) =>
      bus.produce(
        TOPIC,
        Array.from({ length: 5 }, (_, n) => record(`${call}.${n}`.padEnd(700))),
      ),
    );
    const refused = bus.produce(TOPIC, [large]).catch((error: { code: string }) => error.code);
    const after = bus.produce(TOPIC, [record('after')]);
    const placed = (await Promise.all(calls)).flat();
    expect(await refused).toBe('BUS_RECORD_TOO_LARGE');
    expect(placed.map(({ offset }) => offset - before)).toEqual(Array.from({ length: 50 }, (_, n) => BigInt(n)));
    expect(await after).toEqual([{ partition: 0, offset: before + 50n }]);
    for (const [n, { offset }] of placed.entries())
      expect(texts(await bus.read(TOPIC, 0, offset, 1))[0]!.trim()).toBe(`${Math.floor(n / 5)}.${n % 5}`);
  });

  it('P9: maxPendingProduceBytes', async () => {
    const bus = await openBus({ maxPendingProduceBytes: 10_000 });
    const pending = Array.from({ length: 10 }, () => bus.produce(TOPIC, [record(Buffer.alloc(900))]));
    await expect(bus.produce(TOPIC, [record(Buffer.alloc(900))])).rejects.toMatchObject({ code: 'BUS_BUSY' });
    await Promise.all(pending);
    await bus.produce(TOPIC, [record(Buffer.alloc(900))]);
  });

  it('P9: maxBatchRecords and maxBatchBytes', async () => {
    const bus = await openBus({ maxBatchRecords: 7, maxBatchBytes: 20_000 });
    for (let call = 0; call < 10; call++)
      await bus.produce(
        TOPIC,
        Array.from({ length: 10 }, () => record(Buffer.alloc(1000))),
      );
    const sizes: number[] = [];
    await bus.consume({ topic: TOPIC, start: { at: 'earliest' }, onBatch: async (batch) => void sizes.push(batch.length) });
    await eventually('everything', () => sizes.reduce((sum, size) => sum + size, 0) === 100);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(7);
    // A read is one fetch: two batches of ten fit into it, three don't.
    expect((await bus.read(TOPIC, 0, 0n, 1000)).length).toBeLessThanOrEqual(20);
  });

  it('P9: maxConsumers', async () => {
    const bus = await openBus({ maxConsumers: 2 });
    const consume = () => bus.consume({ topic: TOPIC, start: { at: 'latest' }, onBatch: async () => undefined });
    const one = await consume();
    await consume();
    await expect(consume()).rejects.toMatchObject({ code: 'BUS_BUSY' });
    await one.close();
    await consume();
  });

  it('P9: commitIntervalMs: what nobody waits for is committed within it', async () => {
    const bus = await openBus({ commitIntervalMs: 50 });
    await bus.produce(TOPIC, numbered(5));
    const onBatch = async (_: unknown, { commitSoon }: { commitSoon(): void }): Promise<void> => commitSoon();
    await bus.consume({ topic: TOPIC, group: 'soon', start: { at: 'earliest' }, onBatch });
    await eventually('it is committed', async () => (await committedOffsets(cluster, groupId('soon', TOPIC), TOPIC, [0])).get(0) === 5n);
  });

  it('P9: metadataMaxAgeMs: partitions that are added are found, by consumers with and without a group', async () => {
    const bus = await openBus({ metadataMaxAgeMs: 200, heartbeatIntervalMs: 100 });
    const alone: BusRecord[] = [];
    const grouped: BusRecord[] = [];
    await bus.consume({ topic: TRANSIENT, start: { at: 'latest' }, onBatch: async (batch) => void alone.push(...batch) });
    await bus.consume({
      topic: TRANSIENT,
      group: 'more',
      start: { at: 'earliest' },
      onBatch: async (batch) => void grouped.push(...batch),
    });
    await addPartitions(cluster, TRANSIENT, 3);
    await eventually('it can be written to', () =>
      bus.produce(TRANSIENT, [record('new', 2)]).then(
        () => true,
        () => false,
      ),
    );
    await eventually('both have it', () => alone.length > 0 && grouped.length > 0);
    expect([texts(alone), texts(grouped)]).toEqual([['new'], ['new']]);
  });

  it('P9: sessionTimeoutMs: a handler may take longer, as the member is heard all the while', async () => {
    const bus = await openBus({ sessionTimeoutMs: 600, heartbeatIntervalMs: 100 });
    await bus.produce(TOPIC, numbered(1));
    let runs = 0;
    let committed = false;
    await bus.consume({
      topic: TOPIC,
      group: 'slow',
      start: { at: 'earliest' },
      async onBatch(_, context) {
        runs += 1;
        await new Promise((resolve) => setTimeout(resolve, 2500));
        await context.commit();
        committed = true;
      },
    });
    await eventually('it is committed', () => committed);
    expect(runs).toBe(1);
  });

  it('P9: sessionTimeoutMs: the partitions of a member that is not heard any more go to another', async () => {
    const limits = { sessionTimeoutMs: 1000, heartbeatIntervalMs: 100, connectTimeoutMs: 500, requestTimeoutMs: 500 };
    const gone = await openBus(limits, [`127.0.0.1:${proxy.port}`]);
    const stays = await openBus(limits);
    const seen: BusRecord[] = [];
    await gone.consume({ topic: TOPIC, group: 'heirs', start: { at: 'earliest' }, onBatch: async () => undefined });
    await stays.consume({ topic: TOPIC, group: 'heirs', start: { at: 'earliest' }, onBatch: async (batch) => void seen.push(...batch) });
    proxy.refuses = true;
    proxy.cut();
    for (const partition of [0, 1]) await stays.produce(TOPIC, numbered(3, partition));
    await eventually(
      'the one that stays has both',
      () => new Set(seen.map(({ partition, offset }) => `${partition}/${offset}`)).size === 6,
    );
  });

  it('P9: rebalanceTimeoutMs: a batch that takes longer loses its partition, and its commit is refused', async () => {
    const limits = { rebalanceTimeoutMs: 1000, heartbeatIntervalMs: 100, sessionTimeoutMs: 3000 };
    const slow = await openBus(limits);
    const quick = await openBus(limits);
    for (const partition of [0, 1]) await slow.produce(TOPIC, numbered(1, partition));
    let release = (): void => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    const refused: unknown[] = [];
    let running = 0;
    await slow.consume({
      topic: TOPIC,
      group: 'long',
      start: { at: 'earliest' },
      async onBatch(_, context) {
        running += 1;
        await held;
        await context.commit().catch((error: { code: unknown }) => refused.push(error.code));
      },
    });
    await eventually('both partitions are held', () => running === 2);
    const seen: BusRecord[] = [];
    await quick.consume({
      topic: TOPIC,
      group: 'long',
      start: { at: 'earliest' },
      async onBatch(batch, context) {
        seen.push(...batch);
        await context.commit();
      },
    });
    await eventually('the other one has them', () => seen.length === 2);
    release();
    await eventually('the commits are refused', () => refused.length >= 2);
    expect(refused.slice(0, 2)).toEqual(['BUS_FAILED', 'BUS_FAILED']);
  });

  it('P1: records that are gone before they were read are an error of the record, again and again', async () => {
    const bus = await openBus({ fetchWaitMs: 200 });
    await bus.produce(TOPIC, numbered(10));
    await deleteRecordsBefore(cluster, TOPIC, 0, 6n);
    const errors: unknown[] = [];
    const seen: BusRecord[] = [];
    const options = { topic: TOPIC, partitions: [0], start: { at: 'offsets', offsets: { 0: 2n } } } as const;
    await bus.consume({
      ...options,
      onBatch: async (batch) => void seen.push(...batch),
      onError: (error) => errors.push((error as { code: unknown }).code),
    });
    await eventually('it is told', () => errors.length >= 3);
    expect(new Set(errors)).toEqual(new Set(['BUS_OFFSET_OUT_OF_RANGE']));
    expect(seen).toEqual([]);
    await expect(bus.read(TOPIC, 0, 2n, 1)).rejects.toMatchObject({ code: 'BUS_OFFSET_OUT_OF_RANGE' });
    expect((await bus.ends(TOPIC))[0]).toEqual({ partition: 0, first: 6n, next: 10n });
    expect(texts(await bus.read(TOPIC, 0, 6n, 10))).toEqual(['6', '7', '8', '9']);
    expect(await bus.read(TOPIC, 0, 99n, 1)).toEqual([]);
  });

  it('requests that are gone before they were read are passed over', async () => {
    const bus = await openBus();
    await bus.produce(TRANSIENT, numbered(10));
    await deleteRecordsBefore(cluster, TRANSIENT, 0, 6n);
    const seen: BusRecord[] = [];
    await bus.consume({
      topic: TRANSIENT,
      start: { at: 'offsets', offsets: { 0: 2n } },
      onBatch: async (batch) => void seen.push(...batch),
    });
    await eventually('what is left', () => seen.length === 4);
    expect(texts(seen)).toEqual(['6', '7', '8', '9']);
    expect(texts(await bus.read(TRANSIENT, 0, 2n, 2))).toEqual(['6', '7']);
  });

  it('a group with members refuses to be set elsewhere', async () => {
    const bus = await openBus({ sessionTimeoutMs: 600, heartbeatIntervalMs: 100 });
    const consume = (start: { at: 'earliest' } | { at: 'offsets'; offsets: Record<number, bigint> }) =>
      bus.consume({ topic: TOPIC, group: 'taken', start, onBatch: async () => undefined });
    await consume({ at: 'earliest' });
    await expect(consume({ at: 'offsets', offsets: { 0: 1n } })).rejects.toMatchObject({ code: 'BUS_OPTION' });
  });
});
