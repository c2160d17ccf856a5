import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openEmbeddedBus } from '@sallyport/adapter-embedded-bus';
import { type Bus, TOPICS } from '@sallyport/bus';
import { type PolicyRefusal } from '@sallyport/policy-store';
import { enrolled } from '@sallyport/trust/testing';
import { mayInConsole } from '@sallyport/verdict';
import { pino } from 'pino';
import { type LivePolicy, livePolicy } from './live-policy.js';
import { DEFAULT_BUNDLE_DIR } from './settings.js';
import { altered, eventually, grantsFor, policyWith, publish, type Publishable } from './testing.js';

const { roster, keys } = enrolled('publisher/ana', 'publisher/bo', 'console/c1');
const { keys: strangers } = enrolled('publisher/ana');
const [ana, bo] = [keys['publisher/ana'], keys['publisher/bo']];
const log = pino({ level: 'silent' });
const configured = { bundleDir: DEFAULT_BUNDLE_DIR, grants: grantsFor('configured') };

let directory: string;
let bus: Bus;
let live: LivePolicy;
let good: Publishable;
let better: Publishable;

beforeAll(async () => {
  [good, better] = await Promise.all([policyWith(grantsFor('crew')), policyWith(grantsFor('crew', 'more'))]);
});
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sallyport-live-'));
  bus = await openEmbeddedBus({ dir: directory, preallocateBytes: 64 * 1024 });
  live = await livePolicy({ bus, roster, configured, log });
});
afterEach(async () => {
  await live.close();
  await bus.close();
  await rm(directory, { recursive: true });
});

async function refusals(): Promise<Record<string, number>> {
  const metric = (await live.metrics()).find(({ name }) => name === 'sallyport_policy_refused_total');
  return Object.fromEntries((metric?.values ?? []).map(({ labels, value }) => [String(labels['reason']), value]));
}

const goesTo = (number: number): Promise<void> => eventually(`number ${number} is live`, () => live.current.number === number);

describe('P2: the live policy', () => {
  it('is the configured one until one is published, and each newer one from then on', async () => {
    expect(live.current).toMatchObject({ number: 0, policy: { grants: configured.grants } });
    const switches: number[] = [];
    live.onSwitch(({ number }) => switches.push(number));
    await publish(bus, ana, 1, good);
    await goesTo(1);
    expect(live.current).toMatchObject({ author: 'publisher/ana', policy: { revision: good.revision } });
    await publish(bus, bo, 5, better);
    await goesTo(5);
    expect(live.current).toMatchObject({ author: 'publisher/bo', policy: { revision: better.revision } });
    expect(switches).toEqual([1, 5]);
  });

  it('judges what people may do, too', async () => {
    const operator = { ...configured.grants, roles: { auditor: { groups: ['audit'] } } };
    const question = {
      principal: { subject: 'a', issuer: 'i', provider: 'corp', kind: 'person', groups: ['audit'], actors: [] },
      action: 'leases.read',
    } as const;
    expect(mayInConsole(live.engine, question).allow).toBe(false);
    await publish(bus, ana, 1, await policyWith(operator));
    await goesTo(1);
    expect(mayInConsole(live.engine, question).allow).toBe(true);
  });

  it('is the newest valid one for whoever starts later', async () => {
    await publish(bus, ana, 1, good);
    await publish(bus, ana, 2, better);
    await publish(bus, ana, 3, altered(better, { manifest: { sha256: '00' } }));
    const later = await livePolicy({ bus, roster, configured: { ...configured, bundleDir: '/nowhere' }, log });
    expect(later.current).toMatchObject({ number: 2, policy: { revision: better.revision } });
    await later.close();
  });

  it('is none where nothing is published and what is configured can not be read: then nothing starts', async () => {
    await expect(livePolicy({ bus, roster, configured: { ...configured, bundleDir: '/nowhere' }, log })).rejects.toMatchObject({
      code: 'POLICY_BUNDLE_UNREADABLE',
    });
  });
});

describe('P2: refused, and the live one stays:', () => {
  beforeEach(async () => {
    await publish(bus, ana, 3, good);
    await goesTo(3);
  });

  /** The one behind it is taken: so it was looked at, and nothing else has stopped. */
  async function isRefused(reason: PolicyRefusal): Promise<void> {
    await eventually(`${reason} is counted`, async () => (await refusals())[reason] === 1);
    expect(live.current).toMatchObject({ number: 3, policy: { revision: good.revision } });
    await publish(bus, ana, 5, better);
    await goesTo(5);
    expect(await refusals()).toEqual({ [reason]: 1 });
  }

  const broken: readonly (readonly [string, PolicyRefusal, () => Publishable | Promise<Publishable>])[] = [
    ['a module that was flipped behind its digest', 'bundle', () => altered(better, { manifest: { sha256: 'ab'.repeat(32) } })],
    ['a module that does not compile', 'engine', () => altered(better, { wasm: (wasm) => wasm.fill(0xff, 5000, 5200) })],
    ['a module that is none', 'engine', () => altered(better, { wasm: (wasm) => wasm.writeUInt8(0x20, 0) })],
    ['a manifest of another kind', 'bundle', () => altered(better, { manifest: { format: 2 } })],
    [
      'an entrypoint that is not there',
      'entrypoints',
      () =>
        altered(better, { manifest: { entrypoints: ['sallyport/verdict', 'sallyport/approval', 'sallyport/console', 'sallyport/more'] } }),
    ],
    [
      'input paths that are none',
      'bundle',
      () =>
        altered(better, { manifest: { inputPaths: { 'sallyport/verdict': ['x'], 'sallyport/approval': [], 'sallyport/console': [] } } }),
    ],
    ['grants of another kind', 'grants', () => policyWith({ grants: [{ name: 'x' }] })],
    ['no grants document', 'grants', () => policyWith(null)],
    ['another revision than it says', 'revision', () => ({ ...better, revision: good.revision })],
  ];
  it.each(broken)('%s', async (_, reason, policy) => {
    await publish(bus, ana, 4, await policy());
    await isRefused(reason);
  });

  it('an older number, whoever says it', async () => {
    await publish(bus, bo, 2, better);
    await isRefused('old-number');
  });

  it('the live one again, as whoever can read the topic could write it', async () => {
    const [record] = await bus.read(TOPICS.policies, 0, 0n, 1);
    await bus.produce(TOPICS.policies, [{ key: record!.key, value: record!.value, headers: record!.headers }]);
    await isRefused('old-number');
  });

  it('garbage under the live one’s key, and its removal', async () => {
    await bus.produce(TOPICS.policies, [{ key: 'publisher/ana 3', value: Buffer.alloc(0) }]);
    await isRefused('unsigned');
    const later = await livePolicy({ bus, roster, configured, log });
    expect(later.current.number).toBe(5);
    await later.close();
  });

  it('what a stranger has signed', async () => {
    await publish(bus, strangers['publisher/ana'], 4, better);
    await isRefused('unknown-key');
  });

  it('what a service has signed that is no publisher', async () => {
    await publish(bus, keys['console/c1'], 4, better);
    await isRefused('not-a-publisher');
  });

  it('the second of two with the same number', async () => {
    await publish(bus, bo, 4, better);
    await goesTo(4);
    await publish(bus, ana, 4, good);
    await eventually('it is counted', async () => (await refusals())['old-number'] === 1);
    expect(live.current).toMatchObject({ number: 4, author: 'publisher/bo' });
  });
});
