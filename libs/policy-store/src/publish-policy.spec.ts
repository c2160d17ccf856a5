import { TOPICS } from '@sallyport/bus';
import { enrolled } from '@sallyport/trust/testing';
import { jest } from '@jest/globals';
import { type LoadPublished, newestPolicy, publishPolicy } from './index.js';
import { memoryTopic, recordOf, revision } from './testing.js';

const { roster, keys } = enrolled('publisher/ana', 'publisher/bo');
const files = { 'policy.wasm': Buffer.from('wasm'), 'manifest.json': Buffer.from('{}') };
const policy = (letter: string) => ({ files, grants: {}, revision: revision(letter), comment: letter });
const load: LoadPublished<string> = ({ comment }) => comment;

describe('publishing a policy', () => {
  it('takes the next number, loads no history, and writes nothing twice', async () => {
    const { bus, records } = memoryTopic();
    const loading = jest.fn(load);
    const publish = (letter: string) =>
      publishPolicy({ bus, roster, key: keys['publisher/ana'], load: loading, policy: policy(letter), nowMs: 0 });
    for (const letter of ['a', 'b', 'c']) expect(await publish(letter)).toMatchObject({ outcome: 'published' });
    loading.mockClear();
    expect(await publish('d')).toEqual({ outcome: 'published', number: 4 });
    expect(loading.mock.calls.map(([{ comment }]) => comment)).toEqual(['c', 'd']);
    expect(await publish('d')).toEqual({ outcome: 'live-already', number: 4 });
    // Going back is a new number.
    expect(await publish('c')).toEqual({ outcome: 'published', number: 5 });
    expect(records).toHaveLength(5);
    expect(await newestPolicy(bus, roster, load)).toMatchObject({ live: { number: 5, loaded: 'c' }, next: 5n });
  });

  it('P2: of two who publish at the same time, the second on the log is told', async () => {
    const { bus } = memoryTopic();
    const raced: typeof bus = {
      ...bus,
      async produce(topic, outgoing) {
        await bus.produce(TOPICS.policies, [recordOf(keys['publisher/bo'], 1, { comment: 'bo' })]);
        return bus.produce(topic, outgoing);
      },
    };
    const publication = await publishPolicy({ bus: raced, roster, key: keys['publisher/ana'], load, policy: policy('a'), nowMs: 0 });
    expect(publication).toMatchObject({ outcome: 'refused', number: 1, reason: 'old-number' });
    expect((await newestPolicy(bus, roster, load)).live?.author).toBe('publisher/bo');
  });

  it('stays published when another comes right behind it', async () => {
    const { bus } = memoryTopic();
    const followed: typeof bus = {
      ...bus,
      async produce(topic, outgoing) {
        const placed = await bus.produce(topic, outgoing);
        await bus.produce(TOPICS.policies, [recordOf(keys['publisher/bo'], 2, { comment: 'bo' })]);
        return placed;
      },
    };
    const publication = await publishPolicy({ bus: followed, roster, key: keys['publisher/ana'], load, policy: policy('a'), nowMs: 0 });
    expect(publication).toEqual({ outcome: 'published', number: 1 });
  });
});
