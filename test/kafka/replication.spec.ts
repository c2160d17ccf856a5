import { type KafkaLimits, openKafkaBus } from '@sallyport/adapter-kafka';
import { eventually, freshTopics, kafkaInstalled, startKafkaCluster, type TestKafka } from '@sallyport/adapter-kafka/testing';
import { type Bus, type BusRecord, TOPICS } from '@sallyport/bus';

const TOPIC = TOPICS.sessions;
const KEYS = Array.from({ length: 6 }, (_, n) => `session-${n}`);
const LIMITS: Partial<KafkaLimits> = { connectTimeoutMs: 2000, requestTimeoutMs: 3000, fetchWaitMs: 500, sessionTimeoutMs: 6000 };

(kafkaInstalled() ? describe : describe.skip)('kafka bus on three brokers', () => {
  let brokers: TestKafka[];
  let addresses: string[];
  let bus: Bus;
  beforeAll(async () => {
    brokers = await startKafkaCluster({ 'group.min.session.timeout.ms': '500' });
    addresses = brokers.flatMap((broker) => broker.brokers);
    await freshTopics({ brokers: addresses, limits: { callTimeoutMs: 60_000 } }, { [TOPIC]: 3 }, 3);
    bus = await openKafkaBus({ brokers: addresses, limits: LIMITS });
  }, 240_000);
  afterAll(async () => {
    await bus?.close();
    await Promise.all((brokers ?? []).map((broker) => broker.stop()));
  }, 120_000);

  it('P1: a broker that leads a partition is killed under load: nothing acknowledged is missing, order holds, consumers go on', async () => {
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
    const writers = KEYS.map(async (key) => {
      for (let n = 0; writing;) {
        const placed = await bus.produce(TOPIC, [{ key, value: Buffer.from(`${n}`) }]).catch(() => undefined);
        if (placed) acknowledged.set(key, (n += 1));
      }
    });
    const progress = async (): Promise<void> => {
      const before = new Map(acknowledged);
      await eventually('every key gets on', () => KEYS.every((key) => (acknowledged.get(key) ?? 0) > (before.get(key) ?? 0) + 5));
    };
    await progress();
    // Each leads one of the three partitions, and one of them keeps the group.
    const [victim] = brokers;
    await victim!.kill();
    await progress();
    await victim!.start();
    await progress();
    writing = false;
    await Promise.all(writers);

    const total = [...acknowledged.values()].reduce((sum, count) => sum + count, 0);
    const distinct = (records: readonly BusRecord[]): Set<string> => new Set(records.map(({ key, value }) => `${key}:${value.toString()}`));
    await eventually('both consumers have everything', () => distinct(alone).size >= total && distinct(grouped).size >= total);
    for (const key of KEYS) {
      const numbers = [...new Set(alone.filter((record) => record.key === key).map(({ value }) => Number(value.toString())))];
      expect(numbers).toEqual(Array.from({ length: acknowledged.get(key)! }, (_, n) => n));
    }
  }, 240_000);

  it('P1: with too few copies in sync nothing is acknowledged, and afterwards it works again', async () => {
    const careful = await openKafkaBus({ brokers: addresses, limits: { ...LIMITS, produceTimeoutMs: 4000 } });
    await careful.produce(TOPIC, [{ key: 'k', value: Buffer.from('before') }]);
    const [, second, third] = brokers;
    await Promise.all([second!.kill(), third!.kill()]);
    for (const partition of [0, 1, 2])
      await expect(careful.produce(TOPIC, [{ key: 'k', value: Buffer.from('meanwhile'), partition }])).rejects.toMatchObject({
        code: 'BUS_FAILED',
      });
    await Promise.all([second!.start(), third!.start()]);
    for (const partition of [0, 1, 2])
      await eventually('it is taken', () =>
        careful.produce(TOPIC, [{ key: 'k', value: Buffer.from('after'), partition }]).then(
          () => true,
          () => false,
        ),
      );
    await careful.close();
  }, 240_000);
});
