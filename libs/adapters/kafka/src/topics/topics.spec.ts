import { ALL_TOPICS, TOPICS } from '@sallyport/bus';
import { Cluster } from '../cluster.js';
import { openKafkaBus } from '../kafka-bus.js';
import { kafkaSettings } from '../options.js';
import { kafkaInstalled, startKafka, type TestKafka } from '../testing/index.js';
import { applyTopics } from './apply.js';
import { awaitTopic } from './await-topic.js';
import { checkTopics, KafkaTopicsError } from './check.js';
import { compareTopics } from './compare.js';
import { topicPlan } from './plan.js';
import { configureTopic, createTopic, deleteTopic, describeTopic } from './topic-requests.js';

describe('the plan of topics', () => {
  it('keeps the record for ever, and requests for minutes', () => {
    const plan = new Map(topicPlan().map((one) => [one.topic, one]));
    expect([...plan.keys()]).toEqual([...ALL_TOPICS]);
    expect(plan.get(TOPICS.sessions)).toMatchObject({
      partitions: 12,
      replicationFactor: 3,
      configs: { 'cleanup.policy': 'delete', 'retention.ms': '-1', 'retention.bytes': '-1', 'min.insync.replicas': '2' },
    });
    // A key can be written by anybody who may write: compaction would drop the live policy for their garbage.
    expect(plan.get(TOPICS.policies)!.configs['cleanup.policy']).toBe('delete');
    expect(plan.get('sallyport.lease.replies')!.configs['retention.ms']).toBe('600000');
    expect([...plan.values()].filter(({ partitions }) => partitions === 1).map(({ topic }) => topic)).toEqual([
      TOPICS.control,
      TOPICS.leases,
      TOPICS.policies,
      TOPICS.checkpoints,
    ]);
    expect(Number(plan.get(TOPICS.sessions)!.configs['max.message.bytes'])).toBeGreaterThan(2 ** 20);
  });

  it('asks for one copy where there is one broker', () => {
    const [one] = topicPlan({ replicationFactor: 1, partitions: 3 });
    expect(one).toMatchObject({ partitions: 3, replicationFactor: 1, configs: { 'min.insync.replicas': '1' } });
  });
});

(kafkaInstalled() ? describe : describe.skip)('topics on a broker', () => {
  let kafka: TestKafka;
  let cluster: Cluster;
  const plan = topicPlan({ replicationFactor: 1, partitions: 3 });
  beforeAll(async () => {
    kafka = await startKafka();
    cluster = new Cluster(kafkaSettings({ brokers: kafka.brokers }));
  }, 120_000);
  afterAll(async () => {
    cluster?.close();
    await kafka?.stop();
  });
  const options = () => ({ brokers: kafka.brokers });

  /** The topic as its plan says, with something changed. */
  async function remake(topic: string, change: { partitions?: number; configs?: Record<string, string> }): Promise<void> {
    await deleteTopic(cluster, topic).catch(() => undefined);
    await awaitTopic(cluster, topic, 0);
    const one = plan.find((each) => each.topic === topic)!;
    const made = { ...one, partitions: change.partitions ?? one.partitions, configs: { ...one.configs, ...change.configs } };
    await createTopic(cluster, made);
    await awaitTopic(cluster, topic, made.partitions);
  }

  it('are made where they are missing, and found as planned then', async () => {
    const refused = await checkTopics(options(), plan).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(KafkaTopicsError);
    expect(refused).toMatchObject({ code: 'BUS_TOPICS' });
    expect((refused as Error).message.split('\n')).toHaveLength(plan.length + 1);
    expect((refused as Error).message).toContain('sallyport.sessions.v1: the topic is missing');
    expect((refused as Error).message).toContain('sallyport topics apply');

    const { done, left } = await applyTopics(options(), plan);
    expect(done.map(({ topic, did }) => `${did} ${topic}`)).toEqual(plan.map(({ topic }) => `created ${topic}`));
    expect(left).toEqual([]);
    expect(await checkTopics(options(), plan)).toEqual([]);
    expect(await applyTopics(options(), plan)).toEqual({ done: [], left: [] });
  });

  it.each([
    ['compacted', { 'cleanup.policy': 'compact' }, 'cleanup.policy is compact'],
    ['kept for a week', { 'retention.ms': '604800000' }, 'retention.ms is 604800000'],
    ['kept up to a size', { 'retention.bytes': '1000000' }, 'retention.bytes is 1000000'],
    ['too small for a record', { 'max.message.bytes': '1048588' }, 'max.message.bytes is 1048588'],
    ['compressed as whoever writes wants it', { 'compression.type': 'producer' }, 'compression.type is producer'],
    ['compressed so that nobody reads it', { 'compression.type': 'zstd' }, 'compression.type is zstd'],
  ])('P1: a topic of the record that is %s is refused, and repaired by apply', async (_, configs, words) => {
    await remake(TOPICS.sessions, { configs });
    await expect(checkTopics(options(), plan)).rejects.toThrow(`sallyport.sessions.v1: ${words}, which would lose the record`);
    const { done, left } = await applyTopics(options(), plan);
    expect(done).toMatchObject([{ topic: TOPICS.sessions, did: 'configured' }]);
    expect(left).toEqual([]);
    expect(await checkTopics(options(), plan)).toEqual([]);
  });

  it('P2: policies that a stranger’s record could take the place of are refused', async () => {
    await remake(TOPICS.policies, { configs: { 'cleanup.policy': 'compact' } });
    await expect(checkTopics(options(), plan)).rejects.toThrow('sallyport.policies.v1: cleanup.policy is compact');
    await applyTopics(options(), plan);
  });

  it('that differ without harm are named, and stop nobody', async () => {
    await remake('sallyport.decide.requests', { configs: { 'retention.ms': '3600000' } });
    await remake(TOPICS.leases, { configs: { 'message.timestamp.type': 'LogAppendTime' } });
    expect(await checkTopics(options(), plan)).toEqual([
      { topic: TOPICS.leases, what: 'message.timestamp.type', wanted: 'CreateTime', found: 'LogAppendTime', severity: 'differs' },
      { topic: 'sallyport.decide.requests', what: 'retention.ms', wanted: '600000', found: '3600000', severity: 'differs' },
    ]);
    expect((await applyTopics(options(), plan)).left).toEqual([]);
  });

  it('get partitions where no key moves away from its records, and otherwise are left to somebody', async () => {
    await remake('sallyport.lease.requests', { partitions: 1 });
    await remake(TOPICS.sessions, { partitions: 1 });
    const bus = await openKafkaBus(options());
    await bus.produce('sallyport.lease.requests', [{ key: 'k', value: Buffer.from('v') }]);
    const empty = await applyTopics(options(), plan);
    expect(empty.done.map(({ topic, did }) => `${did} ${topic}`)).toEqual([
      'partitions added sallyport.sessions.v1',
      'partitions added sallyport.lease.requests',
    ]);
    expect(empty.left).toEqual([]);

    await remake(TOPICS.sessions, { partitions: 1 });
    await bus.produce(TOPICS.sessions, [{ key: 'k', value: Buffer.from('v') }]);
    await bus.close();
    const kept = await applyTopics(options(), plan);
    expect(kept.done).toEqual([]);
    expect(kept.left).toEqual([{ topic: TOPICS.sessions, what: 'partitions', wanted: '3', found: '1', severity: 'differs' }]);
    expect(await checkTopics(options(), plan)).toEqual(kept.left);
  });

  it('keep what somebody else has set, and what is more than planned', async () => {
    await remake(TOPICS.control, {});
    const before = await describeTopic(cluster, TOPICS.control);
    const others = { 'segment.ms': '86400000', 'max.message.bytes': '5000000', 'retention.ms': '1000' };
    await configureTopic(cluster, TOPICS.control, { ...before.set, ...others });
    await applyTopics(options(), plan);
    const { inForce } = await describeTopic(cluster, TOPICS.control);
    expect(inForce).toMatchObject({ 'segment.ms': '86400000', 'max.message.bytes': '5000000', 'retention.ms': '-1' });
  });

  it('of a broker that is away can not be compared', async () => {
    const away = { brokers: ['127.0.0.1:9'], limits: { callTimeoutMs: 300, connectTimeoutMs: 200 } };
    await expect(compareTopics(away, plan)).rejects.toMatchObject({ code: 'BUS_FAILED' });
  });
});
