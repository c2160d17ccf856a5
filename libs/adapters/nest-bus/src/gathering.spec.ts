import { type Bench, eventually, gate, keys, openBench, REPLIES, REQUESTS } from './testing.js';

let bench: Bench;
let handled: string[];
const names = (prefix: string, count: number): string[] => Array.from({ length: count }, (_, n) => `${prefix}${n}`);
const handler = (server: string) => ({ echo: (data: unknown) => (handled.push(`${server} ${String(data)}`), data) });
const countOf = async (topic: string): Promise<number> => (await bench.records(topic)).length;

beforeEach(() => {
  handled = [];
});
afterEach(() => bench.close());

describe('requests and replies', () => {
  it('go out at once when nothing is under way, and together while something is', async () => {
    bench = await openBench();
    await bench.serve(handler('a'));
    const client = bench.client();
    const slow = gate();
    await client.request('echo', 'first');
    expect([await countOf(REQUESTS), await countOf(REPLIES)]).toEqual([1, 1]);
    let held = 0;
    bench.beforeProduce = (topic) => (topic === REQUESTS && held++ === 0 ? slow.opened : undefined);
    const ahead = client.request('echo', 'ahead');
    await eventually(() => held === 1);
    // One at a time: these are asked for in different turns.
    const behind: Promise<unknown>[] = [];
    for (const name of names('n', 100)) {
      behind.push(client.request('echo', name));
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(await countOf(REQUESTS)).toBe(1);
    slow.open();
    expect(await Promise.all([ahead, ...behind])).toEqual(['ahead', ...names('n', 100)]);
    expect(await countOf(REQUESTS)).toBe(3);
    expect(await countOf(REPLIES)).toBeLessThanOrEqual(3);
  });

  it('P9: maxBatchRequests and maxBatchBytes end a record', async () => {
    bench = await openBench();
    await bench.serve(handler('a'), { maxBatchRequests: 4 });
    const few = bench.client({ maxBatchRequests: 10 });
    await Promise.all(names('n', 25).map((name) => few.request('echo', name)));
    expect([await countOf(REQUESTS), await countOf(REPLIES)]).toEqual([3, 7]);
    const small = bench.client({ maxBatchBytes: 300 });
    const long = names('x', 6).map((name) => name.padEnd(100));
    expect(await Promise.all(long.map((name) => small.request('echo', name)))).toEqual(long);
    expect(await countOf(REQUESTS)).toBe(3 + 3);
    // One alone may be larger: it is not refused for the sake of company.
    expect(await small.request('echo', 'y'.repeat(1000))).toHaveLength(1000);
  });

  it('P9: maxUnsentBytes: what can not be sent does not pile up', async () => {
    bench = await openBench();
    await bench.serve(handler('a'));
    const client = bench.client({ maxUnsentBytes: 250 });
    await client.connect();
    const slow = gate();
    bench.beforeProduce = (topic) => (topic === REQUESTS ? slow.opened : undefined);
    const first = client.request('echo', 'first');
    await new Promise((resolve) => setImmediate(resolve));
    const results = Promise.allSettled(names('n', 3).map((name) => client.request('echo', name.padEnd(98))));
    await new Promise((resolve) => setImmediate(resolve));
    slow.open();
    expect(await first).toBe('first');
    expect((await results).map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected']);
    expect((await results)[2]).toMatchObject({ reason: { code: 'BUS_TOO_MANY_REQUESTS' } });
  });

  it('P9: maxUnsentBytes of a server: a client whose replies do not get away costs itself its replies, and nobody else', async () => {
    bench = await openBench();
    await bench.serve({ much: () => 'x'.repeat(1000) }, { maxUnsentBytes: 3000, maxBatchRequests: 1 });
    const [stuck, other] = [bench.client({ requestTimeoutMs: 500 }), bench.client({ key: keys['edge/e2'] })];
    await stuck.request('much', 0);
    const slow = gate();
    const key = (await bench.records(REPLIES))[0]?.key;
    bench.beforeProduce = (topic, [record]) => (topic === REPLIES && record?.key === key ? slow.opened : undefined);
    const answers = Promise.allSettled(names('n', 20).map((name) => stuck.request('much', name)));
    for (let n = 0; n < 10; n++) expect(await other.request('much', n)).toHaveLength(1000);
    slow.open();
    const answered = (await answers).filter(({ status }) => status === 'fulfilled').length;
    expect(answered).toBeGreaterThan(0);
    expect(answered).toBeLessThan(5);
  });

  it('P9: maxRecordsInFlight: to several partitions in turn', async () => {
    bench = await openBench(4);
    await bench.serve(handler('a'));
    const client = bench.client({ maxRecordsInFlight: 3 });
    await client.connect();
    const slow = gate();
    const busy: (number | undefined)[] = [];
    bench.beforeProduce = (topic, [record]) => {
      if (topic !== REQUESTS) return undefined;
      busy.push(record?.partition);
      return slow.opened;
    };
    const answers: Promise<unknown>[] = [];
    for (const name of names('n', 10)) {
      answers.push(client.request('echo', name));
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect([busy.length, new Set(busy).size]).toEqual([3, 3]);
    slow.open();
    expect(await Promise.all(answers)).toEqual(names('n', 10));
    expect(busy).toHaveLength(4);
  });

  it('P9: partitionsMaxAgeMs: a partition that was added gets requests', async () => {
    bench = await openBench(2);
    await bench.serve(handler('a'));
    let known = 1;
    const bus = { ...bench.bus, ends: async (topic: string) => (await bench.bus.ends(topic)).slice(0, topic === REQUESTS ? known : 1) };
    const client = bench.client({ bus, partitionsMaxAgeMs: 0 });
    await client.request('echo', 1);
    known = 2;
    await eventually(async () => {
      await client.request('echo', 2);
      return new Set((await bench.records(REQUESTS)).map(({ partition }) => partition)).size === 2;
    });
  });
});

describe('a request that may be sent again', () => {
  const stuck = { echo: () => new Promise(() => undefined) };

  it('goes to another partition once, and the first answer counts', async () => {
    bench = await openBench(2);
    // The group has not noticed yet that one is dead.
    const dead = await bench.serve(stuck, { drainTimeoutMs: 0 }, [0]);
    await bench.serve(handler('b'), {}, [1]);
    const client = bench.client();
    const answers = await Promise.all(
      names('n', 4).map(async (name) => {
        await new Promise((resolve) => setImmediate(resolve));
        return client.request('echo', name, { resendAfterMs: 30 });
      }),
    );
    for (let n = 0; n < 4; n++) await client.request('echo', `later ${n}`, { resendAfterMs: 30 });
    expect(answers).toEqual(names('n', 4));
    expect(new Set(handled).size).toBe(8);
    expect(client.outstanding).toBe(0);
    await dead.close();
  });

  it('is answered once, although two have handled it, and a server does not handle it twice', async () => {
    bench = await openBench(2);
    const ignored: string[] = [];
    const hold = gate();
    const both = (server: string) => ({ echo: (data: unknown) => (handled.push(server), hold.opened.then(() => data)) });
    const servers = [await bench.serve(both('a'), {}, [0]), await bench.serve(both('b'), { key: keys['decision/d2'] }, [1])];
    const client = bench.client({ onDistrusted: (reason) => ignored.push(reason) });
    const answer = client.request('echo', 'x', { resendAfterMs: 10 });
    await eventually(() => handled.length === 2);
    hold.open();
    expect(await answer).toBe('x');
    await eventually(() => ignored.length === 1);
    expect([ignored, handled.sort()]).toEqual([['nobody-waits'], ['a', 'b']]);
    for (const server of servers) await server.close();
    const seen: string[] = [];
    await bench.serve({ echo: async () => (seen.push('c'), new Promise((resolve) => setTimeout(resolve, 60))) });
    await client.request('echo', 'y', { resendAfterMs: 10 });
    expect([seen, await countOf(REQUESTS)]).toEqual([['c'], 4]);
  });

  it('goes at once when the first way fails, and fails when both do', async () => {
    bench = await openBench(2);
    await bench.serve(handler('a'));
    const client = bench.client();
    await client.connect();
    let failing = 1;
    bench.beforeProduce = (topic) => (topic === REQUESTS && failing-- > 0 ? Promise.reject(new Error('no leader')) : undefined);
    expect(await client.request('echo', 1, { resendAfterMs: 60_000 })).toBe(1);
    failing = 2;
    await expect(client.request('echo', 2, { resendAfterMs: 60_000 })).rejects.toThrow('no leader');
    failing = 1;
    await expect(client.request('echo', 3)).rejects.toThrow('no leader');
    expect(client.outstanding).toBe(0);
  });

  it('is not sent again where there is one partition, nor when it was answered', async () => {
    bench = await openBench();
    const hold = gate();
    await bench.serve({ echo: () => hold.opened, now: () => 1 });
    const client = bench.client();
    await client.request('now', 1, { resendAfterMs: 1 });
    const answer = client.request('echo', 1, { resendAfterMs: 1 });
    await new Promise((resolve) => setTimeout(resolve, 20));
    hold.open();
    await answer;
    expect(await countOf(REQUESTS)).toBe(2);
  });
});

it('a server that closes flushes its replies, and the next one goes on behind it', async () => {
  bench = await openBench();
  const hold = gate();
  const first = await bench.serve({ echo: (data) => (handled.push('a'), hold.opened.then(() => data)) });
  const client = bench.client();
  const answers = Promise.all(names('n', 10).map((name) => client.request('echo', name)));
  await eventually(() => handled.length === 10);
  const slow = gate();
  bench.beforeProduce = (topic) => (topic === REPLIES ? slow.opened : undefined);
  let isClosed = false;
  const closed = first.close().then(() => (isClosed = true));
  hold.open();
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect([isClosed, await countOf(REPLIES)]).toEqual([false, 0]);
  slow.open();
  await closed;
  expect(await answers).toEqual(names('n', 10));
  await bench.serve(handler('b'));
  expect(await client.request('echo', 'next')).toBe('next');
  expect(handled.slice(10)).toEqual(['b next']);
});
