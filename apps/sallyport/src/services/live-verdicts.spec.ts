import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openEmbeddedBus } from '@sallyport/adapter-embedded-bus';
import { DistrustMetrics } from '@sallyport/adapter-metrics';
import { type Bus, TOPICS } from '@sallyport/bus';
import { loadConfig } from '@sallyport/config';
import { fixedRoster, heardEvent } from '@sallyport/trust';
import { enrolled } from '@sallyport/trust/testing';
import type { PolicyInput, Verdict } from '@sallyport/verdict';
import { pino } from 'pino';
import { asking } from './asking.js';
import { startDecision } from './decision.js';
import { serviceKey } from './ground.js';
import { installationOf } from './installation.js';
import { livePolicy } from './live-policy.js';
import { liveRemoteVerdicts, liveVerdicts } from './live-verdicts.js';
import { remoteVerdicts } from './remote-verdicts.js';
import { DEFAULT_BUNDLE_DIR } from './settings.js';
import { eventually, grantsFor, policyWith, publish, readBy } from './testing.js';

const log = pino({ level: 'silent' });
const verdict = (revision: string): Verdict => ({
  decision: 'allow',
  revision,
  rules: [],
  reasons: [],
  masks: [],
  profiles: [],
  cacheKey: '',
  rulesOff: false,
});

describe('verdicts of a decision service', () => {
  const limits = { verdictCacheEntries: 10 };
  const policy = { revision: 'a', inputPaths: ['/principal'] };

  it('P2: of the live revision are remembered, and hold while it is away', async () => {
    let isAway = false;
    const port = remoteVerdicts(policy, async () => (isAway ? Promise.reject(new Error('away')) : verdict('a')), limits);
    await port.decide(readBy('crew', 'one'));
    isAway = true;
    expect(await port.decide(readBy('crew', 'two'))).toMatchObject({ decision: 'allow', revision: 'a' });
    await expect(port.decide(readBy('other'))).rejects.toThrow('away');
  });

  it('P2: of another revision are for the input that they were asked for, and for no other', async () => {
    const asked: PolicyInput[] = [];
    const port = remoteVerdicts(
      policy,
      async (input) => {
        asked.push(input);
        return { ...verdict('b'), decision: input.session.id === 'one' ? 'allow' : 'deny' };
      },
      limits,
    );
    const both = await Promise.all([port.decide(readBy('crew', 'one')), port.decide(readBy('crew', 'two'))]);
    expect(both.map(({ decision, revision }) => [decision, revision])).toEqual([
      ['allow', 'b'],
      ['deny', 'b'],
    ]);
    await port.decide(readBy('crew', 'one'));
    expect(asked.map(({ session }) => session.id)).toEqual(['one', 'two', 'one']);
  });
});

describe('a policy that changes under load', () => {
  let directory: string;
  let bus: Bus;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'sallyport-switch-'));
    bus = await openEmbeddedBus({ dir: join(directory, 'bus'), preallocateBytes: 64 * 1024 });
  });
  afterEach(async () => {
    await bus.close();
    await rm(directory, { recursive: true });
  });

  it('P2: an edge that judges by itself switches alike, and remembers nothing of before', async () => {
    const { roster, keys } = enrolled('publisher/ana');
    const live = await livePolicy({ bus, roster, configured: { bundleDir: DEFAULT_BUNDLE_DIR, grants: grantsFor('one') }, log });
    const port = liveVerdicts(live, { verdictCacheEntries: 10 }, log);
    const said = async (subject: string) => (await port.decide(readBy(subject))).decision;
    expect([await said('one'), await said('two')]).toEqual(['allow', 'deny']);
    const next = await policyWith(grantsFor('two'));
    await publish(bus, keys['publisher/ana'], 1, next);
    await eventually('it has switched', () => port.revision === next.revision);
    expect([await said('one'), await said('two')]).toEqual(['deny', 'allow']);
    await live.close();
  });

  it('P2: decision and edge switch without a request that is dropped, and the switch is on record', async () => {
    const loaded = loadConfig({ text: `data: ${directory}`, baseDir: directory }, {});
    if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
    const { config } = loaded;
    const { keys } = enrolled('publisher/ana');
    const decisionKey = await serviceKey(config, 'decision');
    const edgeKey = await serviceKey(config, 'edge');
    const roster = fixedRoster([keys['publisher/ana'], decisionKey, edgeKey]);
    const policy = { bundleDir: DEFAULT_BUNDLE_DIR, grants: grantsFor('agent-0') };
    const [deciding, edge] = await Promise.all([1, 2].map(() => livePolicy({ bus, roster, configured: policy, log })));
    const installation = await installationOf(config, { env: {}, baseDir: directory });
    const decision = await startDecision({
      config,
      baseDir: directory,
      env: {},
      policy,
      live: deciding!,
      installation,
      bus,
      roster,
      providers: [],
      distrust: new DistrustMetrics(),
      log,
    });
    const client = await asking('decide', { bus, key: edgeKey, roster, log }, config.limits);
    const port = liveRemoteVerdicts(edge!, (input) => client.request('decide', input), config.limits);

    const revisions = [edge!.current.policy.revision];
    const heard: Verdict[] = [];
    const failed: unknown[] = [];
    let stopped = false;
    let asked = 0;
    const agents = [0, 1, 2, 3].map(async (agent) => {
      for (; !stopped; asked += 1) {
        try {
          heard.push(await port.decide(readBy(`agent-${agent}`, `${asked % 50}`)));
        } catch (error) {
          failed.push(error);
        }
        await new Promise((resolve) => setImmediate(resolve));
      }
    });
    for (const number of [1, 2, 3]) {
      const next = await policyWith(grantsFor(`agent-${number}`));
      revisions.push(next.revision);
      const before = asked;
      await publish(bus, keys['publisher/ana'], number, next);
      await eventually('both have switched', () => deciding!.current.number === number && edge!.current.number === number);
      expect(await port.decide(readBy(`agent-${number}`))).toMatchObject({ decision: 'allow', revision: next.revision });
      expect(await port.decide(readBy('agent-0'))).toMatchObject({ decision: 'deny', revision: next.revision });
      await eventually('agents went on', () => asked > before + 100);
    }
    stopped = true;
    await Promise.all(agents);

    expect(failed).toEqual([]);
    expect(new Set(heard.map(({ revision }) => revision))).toEqual(new Set(revisions));
    // Each agent was allowed by its own revision and by no other: nothing is mixed.
    const allowed = new Set(heard.filter(({ decision: said }) => said === 'allow').map((one) => `${one.revision} ${one.rules[0]?.title}`));
    expect(allowed).toEqual(new Set(revisions.map((revision, agent) => `${revision} agent-${agent} reads`)));
    expect(heard.some(({ rules }) => rules.some(({ path }) => path === 'sallyport.error'))).toBe(false);

    const records = await bus.read(TOPICS.control, 0, 0n, 100);
    const activated = records.map((record) => heardEvent(roster, record)).filter((one) => one.ok);
    const told = activated.filter(({ event }) => event.type === 'policy.activated');
    expect(told.map(({ event, by }) => [event.subject, by.role])).toEqual(revisions.map((revision) => [revision, 'decision']));

    await client.close();
    await decision.close();
    await Promise.all([deciding!.close(), edge!.close()]);
  });
});
