import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openKafkaBus } from '@sallyport/adapter-kafka';
import { kafkaInstalled, startKafka, type TestKafka } from '@sallyport/adapter-kafka/testing';
import { type Bus, TOPICS } from '@sallyport/bus';
import { loadOrCreateKey } from '@sallyport/events';
import { fileRoster } from '@sallyport/trust';
import { pino } from 'pino';
import { livePolicy } from '../../services/live-policy.js';
import { DEFAULT_BUNDLE_DIR, readGrants } from '../../services/settings.js';
import { eventually, grantsFor, policyWith, publish } from '../../services/testing.js';
import { type Ran, startCommand } from '../testing.js';

const grants = (...subjects: string[]): string => JSON.stringify({ grants: grantsFor(...subjects).grants });

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sallyport-publish-'));
  await writeFile(join(directory, 'grants.yaml'), grants('crew'));
});
afterEach(() => rm(directory, { recursive: true }));

const run = (...argv: string[]): Promise<Ran> => startCommand(argv, { cwd: directory }).ended;
const configure = (bus: string): Promise<void> =>
  writeFile(join(directory, 'sallyport.yaml'), `name: ana\nbus: ${bus}\npolicy: { grants: grants.yaml }\n`);

describe('policy publish without Kafka', () => {
  beforeEach(() => configure('embedded'));

  it('says how the policy of an embedded bus is changed', async () => {
    for (const command of ['publish', 'log']) {
      const { code, err } = await run('policy', command);
      expect([code, err]).toEqual([2, expect.stringContaining('restart it to change the policy')]);
    }
  });

  it('P2: checks a policy as services do', async () => {
    expect(await run('policy', 'publish', '--dry-run')).toEqual({
      code: 0,
      out: expect.stringMatching(/^revision [0-9a-f]{64} can be published\n$/) as string,
      err: '',
    });
    await writeFile(join(directory, 'policy.wasm'), await readFile(join(DEFAULT_BUNDLE_DIR, 'policy.wasm')));
    await writeFile(join(directory, 'manifest.json'), '{}');
    expect(await run('policy', 'publish', '--dry-run', '--bundle', '.')).toMatchObject({
      code: 2,
      err: expect.stringContaining('manifest') as string,
    });
    await writeFile(join(directory, 'wrong.yaml'), 'grants: [ { name: x } ]');
    expect(await run('policy', 'publish', '--dry-run', '--grants', 'wrong.yaml')).toMatchObject({
      code: 2,
      err: expect.stringContaining('wrong.yaml:1') as string,
    });
  });
});

(kafkaInstalled() ? describe : describe.skip)('policy publish on Kafka', () => {
  let kafka: TestKafka;
  let bus: Bus;
  beforeAll(async () => {
    kafka = await startKafka();
  }, 120_000);
  beforeEach(() => configure(`{ kafka: { brokers: ${JSON.stringify(kafka.brokers)}, topics: { partitions: 1, replication: 1 } } }`));
  afterAll(async () => {
    await bus?.close();
    await kafka?.stop();
  });

  it('P2: publishes, and everybody switches; what is refused is listed with its reason', async () => {
    expect(await run('policy', 'publish')).toMatchObject({ code: 2, err: expect.stringContaining('topics apply') as string });
    expect((await run('topics', 'apply')).code).toBe(0);
    expect(await run('policy', 'log')).toMatchObject({ code: 0, out: '', err: expect.stringContaining('Nothing was published') as string });

    bus = await openKafkaBus({ brokers: kafka.brokers });
    const keys = join(directory, 'data', 'keys');
    await loadOrCreateKey(keys, 'decision/d1');
    const live = await livePolicy({
      bus,
      roster: fileRoster(keys),
      configured: { bundleDir: DEFAULT_BUNDLE_DIR, grants: await readGrants(undefined) },
      log: pino({ level: 'silent' }),
    });

    const first = await run('policy', 'publish', '--comment', 'the crew reads');
    expect(first).toMatchObject({ code: 0, out: expect.stringMatching(/^published number 1, revision [0-9a-f]{64}\n$/) as string });
    await eventually('it is live', () => live.current.number === 1);
    expect(live.current).toMatchObject({ author: 'publisher/ana', policy: { grants: grantsFor('crew') } });
    expect(await run('policy', 'publish')).toMatchObject({ code: 0, out: '', err: expect.stringContaining('live already') as string });

    await bus.produce(TOPICS.policies, [{ key: 'publisher/ana 1', value: Buffer.from('garbage') }]);
    await writeFile(join(directory, 'grants.yaml'), grants('crew', 'more'));
    expect(await run('policy', 'publish')).toMatchObject({ code: 0, out: expect.stringContaining('number 2') as string });
    await eventually('it is live', () => live.current.number === 2);
    await publish(bus, await loadOrCreateKey(keys, 'publisher/bo'), 2, await policyWith(grantsFor('late')));

    const { out } = await run('policy', 'log', '--format', 'json');
    expect(JSON.parse(out)).toMatchObject([
      { number: 1, author: 'publisher/ana', state: 'replaced', reason: null, comment: 'the crew reads' },
      { number: null, revision: null, author: null, state: 'refused', reason: 'unsigned' },
      { number: 2, author: 'publisher/ana', state: 'live', revision: live.current.policy.revision },
      { number: 2, author: 'publisher/bo', state: 'refused', reason: 'old-number' },
    ]);
    expect((await run('policy', 'log')).out).toContain('refused: unsigned');
    await live.close();
  }, 120_000);

  it('P2: publishes nothing with a key that is not enrolled, and says which line is missing', async () => {
    await writeFile(join(directory, 'services.keys'), '');
    await writeFile(
      join(directory, 'sallyport.yaml'),
      `${await readFile(join(directory, 'sallyport.yaml'), 'utf8')}trust: { keys: services.keys }\n`,
    );
    expect(await run('policy', 'publish')).toMatchObject({
      code: 2,
      err: expect.stringMatching(/not enrolled[^]*publisher\/ana\+/) as string,
    });
  });

  it('says that Kafka can not be reached', async () => {
    await configure('{ kafka: { brokers: ["127.0.0.1:9"], topics: { partitions: 1, replication: 1 } } }');
    expect(await run('policy', 'log')).toMatchObject({ code: 3, err: expect.stringContaining('127.0.0.1:9') as string });
  }, 60_000);
});
