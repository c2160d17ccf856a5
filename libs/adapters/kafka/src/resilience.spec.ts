import { type Bus, type BusRecord, type OutgoingRecord, type Placed, TOPICS } from '@sallyport/bus';
import { freePort } from '@sallyport/adapter-embedded-postgres';
import { openKafkaBus } from './kafka-bus.js';
import type { KafkaLimits } from './options.js';
import { eventually, freshTopics, kafkaInstalled, lossyProxy, type LossyProxy, startKafka, type TestKafka } from './testing/index.js';

const TOPIC = TOPICS.sessions;
const KEYS = Array.from({ length: 9 }, (_, n) => `session-${n}`);
const LIMITS: Partial<KafkaLimits> = {
  connectTimeoutMs: 3000,
  requestTimeoutMs: 3000,
  fetchWaitMs: 300,
  heartbeatIntervalMs: 100,
  sessionTimeoutMs: 3000,
};
const code = (error: unknown): unknown => (error as { code?: unknown }).code;

(kafkaInstalled() ? describe : describe.skip)('kafka bus on bad days', () => {
  let kafka: TestKafka;
  let proxy: LossyProxy;
  /** On the same broker, without the bad network between. */
  let beside: Bus;
  let open: Bus[];
  const unheard: unknown[] = [];
  const hear = (error: unknown): void => void unheard.push(error);
  beforeAll(async () => {
    process.on('unhandledRejection', hear);
    const port = await freePort();
    proxy = await lossyProxy(() => port);
    const properties = {
      listeners: `PLAINTEXT://127.0.0.1:@PORT@,LOSSY://127.0.0.1:${port},CONTROLLER://127.0.0.1:@CPORT@`,
      'advertised.listeners': `PLAINTEXT://127.0.0.1:@PORT@,LOSSY://127.0.0.1:${proxy.port}`,
      'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,LOSSY:PLAINTEXT,CONTROLLER:PLAINTEXT',
      'group.min.session.timeout.ms': '500',
    };
    kafka = await startKafka({ properties });
    beside = await openKafkaBus({ brokers: kafka.brokers, limits: LIMITS });
  }, 120_000);
  afterAll(async () => {
    await beside?.close();
    await kafka?.stop();
    await proxy?.close();
    process.off('unhandledRejection', hear);
  });
  beforeEach(async () => {
    open = [];
    await freshTopics({ brokers: kafka.brokers }, { [TOPIC]: 3 });
  });
  afterEach(async () => {
    kafka.resume();
    proxy.losesAnswers = false;
    proxy.refuses = false;
    for (const bus of open) await bus.close();
    expect(unheard).toEqual([]);
  });

  async function openBus(limits: Partial<KafkaLimits> = {}): Promise<Bus> {
    const bus = await openKafkaBus({ brokers: [`127.0.0.1:${proxy.port}`], limits: { ...LIMITS, ...limits } });
    open.push(bus);
    return bus;
  }

  async function readAll(bus: Bus): Promise<BusRecord[]> {
    const all: BusRecord[] = [];
    for (const { partition, next } of await bus.ends(TOPIC)) {
      for (let at = 0n; at < next;) {
        const batch = await bus.read(TOPIC, partition, at, 1000);
        all.push(...batch);
        at = batch.at(-1)!.offset + 1n;
      }
    }
    return all;
  }

  /** Numbers per key: those that came before, without later copies. */
  function numbersOf(records: readonly BusRecord[], key: string): number[] {
    const seen = records.filter((record) => record.key === key).map((record) => Number(record.value.toString()));
    return [...new Set(seen)];
  }

  const upTo = (count: number): number[] => Array.from({ length: count }, (_, n) => n);

  it('P1: nothing acknowledged is missing and order holds when the broker is killed, again and again, under load', async () => {
    const bus = await openBus({ produceTimeoutMs: 2000 });
    const alone: BusRecord[] = [];
    const grouped: BusRecord[] = [];
    await bus.consume({ topic: TOPIC, start: { at: 'earliest' }, onBatch: async (batch) => void alone.push(...batch) });
    await bus.consume({
      topic: TOPIC,
      group: 'g',
      start: { at: 'earliest' },
      async onBatch(batch, context) {
        grouped.push(...batch);
        await context.commit();
      },
    });
    let writing = true;
    const acknowledged = new Map<string, number>();
    const placed: { key: string; n: number; partition: number; offset: bigint }[] = [];
    // As the spool's publisher does: one after the other for each key, each again until it is acknowledged.
    const writers = KEYS.map(async (key) => {
      for (let n = 0; writing;) {
        try {
          const [place] = await bus.produce(TOPIC, [{ key, value: Buffer.from(`${n}`) }]);
          placed.push({ key, n, ...place! });
          acknowledged.set(key, (n += 1));
        } catch (error) {
          expect(code(error)).toBe('BUS_FAILED');
        }
      }
    });
    const progress = async (): Promise<void> => {
      const before = new Map(acknowledged);
      await eventually('every key gets on', () => KEYS.every((key) => (acknowledged.get(key) ?? 0) > (before.get(key) ?? 0) + 5));
    };
    await progress();
    for (let round = 0; round < 2; round++) {
      await kafka.kill();
      await kafka.start();
      await progress();
    }
    writing = false;
    await Promise.all(writers);
    const log = await readAll(bus);
    for (const key of KEYS) expect(numbersOf(log, key)).toEqual(upTo(acknowledged.get(key)!));
    const at = new Map(log.map((record) => [`${record.partition}/${record.offset}`, `${record.key}:${record.value.toString()}`]));
    for (const { key, n, partition, offset } of placed) expect(at.get(`${partition}/${offset}`)).toBe(`${key}:${n}`);
    await eventually(
      'both consumers have all of it',
      () => alone.length >= log.length && new Set(grouped.map(placeOf)).size === log.length,
    );
    expect(alone.map(placeOf).toSorted()).toEqual(log.map(placeOf).toSorted());
    for (const key of KEYS) {
      expect(numbersOf(alone, key)).toEqual(upTo(acknowledged.get(key)!));
      expect(numbersOf(grouped, key)).toEqual(upTo(acknowledged.get(key)!));
    }
  }, 180_000);

  const placeOf = ({ partition, offset }: BusRecord): string => `${partition}/${offset}`;

  const texts = (records: readonly BusRecord[]): string[] => records.map((record) => record.value.toString());
  const record = (value: string, partition = 0): OutgoingRecord => ({ key: 'k', value: Buffer.from(value), partition });

  it('P9: produceTimeoutMs: while the broker is away produce rejects, and afterwards it works again, for consumers too', async () => {
    const bus = await openBus({ produceTimeoutMs: 1500 });
    const seen: BusRecord[] = [];
    const grouped: BusRecord[] = [];
    await bus.consume({ topic: TOPIC, start: { at: 'latest' }, onBatch: async (batch) => void seen.push(...batch) });
    await bus.consume({
      topic: TOPIC,
      group: 'g',
      start: { at: 'latest' },
      async onBatch(batch, context) {
        grouped.push(...batch);
        context.commitSoon();
      },
    });
    await bus.produce(TOPIC, [record('before')]);
    await kafka.kill();
    await expect(bus.produce(TOPIC, [record('meanwhile')])).rejects.toMatchObject({ code: 'BUS_FAILED' });
    await kafka.start();
    const again = (): Promise<boolean> =>
      bus.produce(TOPIC, [record('after')]).then(
        () => true,
        () => false,
      );
    await eventually('a record is taken', again);
    await eventually('both see it', () => texts(seen).includes('after') && texts(grouped).includes('after'));
    expect(texts(seen)).toContain('before');
  }, 120_000);

  it('P9: requestTimeoutMs: a broker that stands still is given up, and works again when it goes on', async () => {
    const bus = await openBus({ produceTimeoutMs: 2500, requestTimeoutMs: 500 });
    const seen: BusRecord[] = [];
    await bus.consume({ topic: TOPIC, start: { at: 'latest' }, onBatch: async (batch) => void seen.push(...batch) });
    await bus.produce(TOPIC, [record('before')]);
    await kafka.pause();
    await expect(bus.produce(TOPIC, [record('meanwhile')])).rejects.toMatchObject({ code: 'BUS_FAILED' });
    const waits = bus.produce(TOPIC, [record('waits')]);
    kafka.resume();
    await waits;
    await eventually('the consumer goes on', () => texts(seen).includes('waits'));
    expect(texts(seen)[0]).toBe('before');
  }, 120_000);

  it('P9: closeTimeoutMs: closes while the broker stands still, and rejects what is under way', async () => {
    const bus = await openBus({ closeTimeoutMs: 500, produceTimeoutMs: 60_000 });
    await bus.consume({ topic: TOPIC, group: 'g', start: { at: 'latest' }, onBatch: async () => undefined });
    await bus.produce(TOPIC, [record('before')]);
    await kafka.pause();
    const pending = bus.produce(TOPIC, [record('pending')]).catch(code);
    const asked = bus.ends(TOPIC).catch(code);
    await bus.close();
    expect(await pending).toBe('BUS_CLOSED');
    expect(await asked).toBe('BUS_CLOSED');
    await expect(bus.produce(TOPIC, [record('late')])).rejects.toMatchObject({ code: 'BUS_CLOSED' });
  }, 60_000);

  it('P9: callTimeoutMs: whoever asks a broker that stands still gets an answer', async () => {
    const bus = await openBus({ callTimeoutMs: 700, requestTimeoutMs: 300 });
    await bus.ends(TOPIC);
    await kafka.pause();
    const failed = { code: 'BUS_FAILED' };
    await expect(bus.ends(TOPIC)).rejects.toMatchObject(failed);
    await expect(bus.read(TOPIC, 0, 0n, 1)).rejects.toMatchObject(failed);
    await expect(bus.consume({ topic: TOPIC, start: { at: 'latest' }, onBatch: async () => undefined })).rejects.toMatchObject(failed);
    kafka.resume();
    await bus.ends(TOPIC);
  }, 60_000);

  it('an answer that is lost leaves one copy: the broker knows the batch again', async () => {
    const bus = await openBus({ requestTimeoutMs: 400 });
    await bus.produce(TOPIC, [record('first')]);
    proxy.losesAnswers = true;
    const [early, late] = [bus.produce(TOPIC, [record('early')]), bus.produce(TOPIC, [record('late')])];
    await eventually('it is on the log', async () => texts(await beside.read(TOPIC, 0, 0n, 10)).includes('early'));
    proxy.losesAnswers = false;
    expect(await early).toEqual([{ partition: 0, offset: 1n }]);
    expect(await late).toEqual([{ partition: 0, offset: 2n }]);
    expect(texts(await beside.read(TOPIC, 0, 0n, 10))).toEqual(['first', 'early', 'late']);
  }, 60_000);

  it('P1: what comes after a call that was given up is not taken for a copy of it', async () => {
    const bus = await openBus({ requestTimeoutMs: 300, produceTimeoutMs: 500 });
    await bus.produce(TOPIC, [record('first')]);
    proxy.losesAnswers = true;
    await expect(bus.produce(TOPIC, [record('unknown')])).rejects.toMatchObject({ code: 'BUS_FAILED' });
    proxy.losesAnswers = false;
    // A new producer id has to be had first, which a connection that is just being given up may not bring within the time.
    let placed: Placed | undefined;
    await eventually('it is taken', async () => {
      placed = (await bus.produce(TOPIC, [record('next')]).catch(() => []))[0];
      return placed !== undefined;
    });
    expect(texts(await bus.read(TOPIC, 0, placed!.offset, 1))).toEqual(['next']);
  }, 60_000);
});
