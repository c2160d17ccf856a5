import { jest } from '@jest/globals';
import { type BusRecord, TOPICS } from '@sallyport/bus';
import { fixedRoster, type Roster } from '@sallyport/trust';
import { enrolled } from '@sallyport/trust/testing';
import * as fc from 'fast-check';
import { followPolicies, type LoadPublished, policyHistory, PolicyLine, type PolicyRefusal } from './index.js';
import { memoryTopic, placed, recordOf } from './testing.js';

const { roster, keys } = enrolled('publisher/ana', 'publisher/bo');
const [ana, bo] = [keys['publisher/ana'], keys['publisher/bo']];
const { keys: strangers } = enrolled('publisher/eve');

/** What is loaded is the comment; `broken` isn't. */
const load: LoadPublished<string> = ({ comment }) => {
  if (comment.startsWith('broken')) throw new Error(comment);
  return comment;
};

async function followed(topic: ReturnType<typeof memoryTopic>, of: Roster = roster, loading = load) {
  const switches: string[] = [];
  const refused: PolicyRefusal[] = [];
  const errors: unknown[] = [];
  const following = await followPolicies({
    bus: topic.bus,
    roster: of,
    load: loading,
    onActivated: ({ loaded }) => switches.push(loaded),
    onRefused: ({ reason }) => refused.push(reason),
    onError: (error) => errors.push(error),
  });
  return { following, switches, refused, errors };
}

describe('following policies', () => {
  it('P2: starts with the newest valid one, without loading those that it has replaced', async () => {
    const topic = memoryTopic();
    for (const comment of ['one', 'two', 'three']) {
      await topic.bus.produce(TOPICS.policies, [recordOf(ana, topic.records.length + 1, { comment })]);
    }
    await topic.bus.produce(TOPICS.policies, [recordOf(ana, 4, { comment: 'broken' })]);
    const loading = jest.fn(load);
    const { following, switches, refused } = await followed(topic, roster, loading);
    expect({ live: following.live?.number, switches, refused }).toEqual({ live: 3, switches: ['three'], refused: ['engine'] });
    expect(loading.mock.calls.map(([{ number }]) => number)).toEqual([4, 3]);
    await following.close();
  });

  it('P9: a copy of a genuine one costs a look at its bytes: it is neither verified nor unpacked', async () => {
    const topic = memoryTopic();
    let asked = 0;
    const counting: Roster = { ...roster, version: 0, find: (id) => (asked++, roster.find(id)) };
    await topic.bus.produce(TOPICS.policies, [recordOf(ana, 1, { comment: 'one' }), recordOf(ana, 1, { comment: 'another one' })]);
    const copies = Array.from({ length: 20 }, () => topic.records[0]!);
    await topic.bus.produce(TOPICS.policies, copies);
    const { following, refused } = await followed(topic, counting);
    const atStart = asked;
    await topic.bus.produce(TOPICS.policies, copies);
    expect({ refused, live: following.live?.loaded, asked }).toEqual({
      refused: Array(40).fill('old-number'),
      live: 'one',
      asked: atStart,
    });
    expect(asked).toBeLessThan(5);
    await following.close();
  });

  it('P2: does not begin when the beginning of the topic is gone, and perhaps the live policy with it', async () => {
    await expect(followed(memoryTopic(2n))).rejects.toMatchObject({ code: 'POLICY_LOG_CUT' });
  });

  it('P2: switches to what comes, and stays where it is when that is refused', async () => {
    const topic = memoryTopic();
    const { following, switches, refused } = await followed(topic);
    expect(following.live).toBeUndefined();
    const add = (...records: Parameters<typeof topic.bus.produce>[1]) => topic.bus.produce(TOPICS.policies, records);
    await add(recordOf(ana, 1, { comment: 'one' }));
    await add(recordOf(ana, 3, { comment: 'three' }), recordOf(ana, 2, { comment: 'two' }));
    await add(recordOf(bo, 4, { comment: 'broken' }));
    await add({ key: 'publisher/ana 3', value: Buffer.from('garbage') });
    // A genuine one again, as whoever can read the topic could write it.
    await add({ ...topic.records[0]!, headers: topic.records[0]!.headers });
    expect({ switches, refused }).toEqual({ switches: ['one', 'three'], refused: ['old-number', 'engine', 'unsigned', 'old-number'] });
    expect(following.live).toMatchObject({ number: 3, author: 'publisher/ana' });
    await following.close();
  });

  it('P2: of two with the same number the first on the log is live', async () => {
    const topic = memoryTopic();
    const { following, refused } = await followed(topic);
    await topic.bus.produce(TOPICS.policies, [recordOf(ana, 1, { comment: 'ana' }), recordOf(bo, 1, { comment: 'bo' })]);
    expect(following.live?.loaded).toBe('ana');
    expect(refused).toEqual(['old-number']);
    const { versions } = await policyHistory(topic.bus, roster, load);
    expect(versions).toMatchObject([
      { state: 'live', policy: { author: 'publisher/ana', number: 1 } },
      { state: 'refused', reason: 'old-number', policy: { author: 'publisher/bo', number: 1 } },
    ]);
    await following.close();
  });

  it('takes what a publisher said before its key had arrived here', async () => {
    jest.useFakeTimers();
    try {
      const topic = memoryTopic();
      let known = fixedRoster([bo]);
      let version = 0;
      const late: Roster = {
        get version() {
          return version;
        },
        find: (id) => known.find(id),
        named: () => [],
        ofRole: () => [],
      };
      await topic.bus.produce(TOPICS.policies, [recordOf(ana, 2, { comment: 'ana' }), recordOf(bo, 2, { comment: 'bo' })]);
      await topic.bus.produce(TOPICS.policies, [recordOf(strangers['publisher/eve'], 9)]);
      const { following, switches } = await followed(topic, late);
      expect(switches).toEqual(['bo']);
      known = fixedRoster([ana, bo]);
      version += 1;
      await jest.advanceTimersByTimeAsync(1000);
      // The first on the log, as for whoever has known both from the start.
      expect(switches).toEqual(['bo', 'ana']);
      await following.close();
    } finally {
      jest.useRealTimers();
    }
  });

  it('goes on when somebody who is told fails', async () => {
    const topic = memoryTopic();
    const errors: unknown[] = [];
    const following = await followPolicies({
      bus: topic.bus,
      roster,
      load,
      onActivated: ({ loaded }) => {
        if (loaded === 'one') throw new Error('one');
      },
      onRefused: () => undefined,
      onError: (error) => errors.push(error),
    });
    await topic.bus.produce(TOPICS.policies, [recordOf(ana, 1, { comment: 'one' }), recordOf(ana, 2, { comment: 'two' })]);
    expect(following.live?.number).toBe(2);
    expect(errors).toHaveLength(1);
    await following.close();
  });
});

describe('the line of live policies', () => {
  const published = fc.record({ by: fc.constantFrom('ana', 'bo', 'eve'), number: fc.integer({ min: 1, max: 5 }), broken: fc.boolean() });
  const recordFor = ({ by, number, broken }: { by: string; number: number; broken: boolean }, at: number): BusRecord => {
    const key = by === 'ana' ? ana : by === 'bo' ? bo : strangers['publisher/eve'];
    return placed(recordOf(key, number, { comment: `${broken ? 'broken ' : ''}${at}` }), BigInt(at));
  };

  it('P2: is the same for whoever was there all the time and whoever comes later, in whatever order they look', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(published, { maxLength: 8 }), fc.nat(8), async (all, from) => {
        const records = all.map(recordFor);
        const inOrder = new PolicyLine(roster, load);
        records.forEach((record) => inOrder.offer(record));
        const backwards = new PolicyLine(roster, load);
        records.toReversed().forEach((record) => backwards.offer(record));
        const topic = memoryTopic();
        topic.records.push(...records.slice(0, from));
        const { following } = await followed(topic);
        for (const record of records.slice(from)) await topic.bus.produce(TOPICS.policies, [record]);
        const late = await followed(topic);
        const lives = [inOrder, backwards, following, late.following].map(({ live }) => live?.offset);
        await Promise.all([following.close(), late.following.close()]);
        expect(new Set(lives).size).toBe(1);
      }),
      { numRuns: 60 },
    );
  });

  it('P2: never goes back to a smaller number', () => {
    fc.assert(
      fc.property(fc.array(published, { maxLength: 10 }), (all) => {
        const line = new PolicyLine(roster, load);
        let number = 0;
        all.map(recordFor).forEach((record) => {
          line.offer(record);
          const now = line.live?.number ?? 0;
          expect(now).toBeGreaterThanOrEqual(number);
          number = now;
        });
      }),
      { numRuns: 60 },
    );
  });
});
