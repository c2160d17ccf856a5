import type { BusRecord, OutgoingRecord } from '@sallyport/bus';
import { generateSigningKey, type SigningKey } from '@sallyport/events';
import { fixedRoster, signRecord } from '@sallyport/trust';
import fc from 'fast-check';
import { randomUUID } from 'node:crypto';
import { SERVICE_ROLES } from './index.js';
import { type Bench, eventually, gate, keys, openBench, REPLIES, REQUESTS, roster } from './testing.js';

// A hostile producer has full write access to the request and reply topics, and has read everything on them.
const stranger = generateSigningKey('edge/e1');
const requests = (more: object = {}, request: object = {}): Buffer =>
  Buffer.from(
    JSON.stringify({
      client: randomUUID(),
      partition: 0,
      sentAtMs: Date.now(),
      ...more,
      requests: [{ id: 0, lane: 0, pattern: 'echo', timeoutMs: 10_000, data: 'hostile', ...request }],
    }),
  );
const copyOf = ({ key, value, headers }: BusRecord, more: Partial<OutgoingRecord> = {}): OutgoingRecord => ({
  key,
  value,
  headers,
  ...more,
});
const altered = (value: Uint8Array): Buffer => Buffer.from(Buffer.from(value).toString().replace('hostile', 'hostilf'));
const signed = (key: SigningKey, topic: string, value: Buffer, more: Partial<OutgoingRecord> = {}) =>
  signRecord(key, topic, { key: null, value, ...more });

let bench: Bench;
let handled: unknown[];
let distrusted: string[];
let ignored: string[];
const echo = { echo: (data: unknown) => (handled.push(data), data) };
const onDistrusted = (reason: string): void => void distrusted.push(reason);

beforeEach(async () => {
  [handled, distrusted, ignored] = [[], [], []];
  bench = await openBench(2);
});
afterEach(() => bench.close());

describe('a request', () => {
  const hostile: readonly (readonly [what: string, reason: string, record: OutgoingRecord])[] = [
    ['unsigned', 'unsigned', { key: null, value: requests() }],
    ['of a strange key', 'unknown-key', signed(stranger, REQUESTS, requests())],
    [
      'of a strange key under the id of an enrolled one',
      'bad-signature',
      signed({ ...stranger, id: keys['edge/e1'].id }, REQUESTS, requests()),
    ],
    ['altered', 'bad-signature', ((one) => ({ ...one, value: altered(one.value) }))(signed(keys['edge/e1'], REQUESTS, requests()))],
    ['made for another service', 'bad-signature', signed(keys['edge/e1'], 'sallyport.lease.requests', requests())],
    ['taken from the replies', 'bad-signature', signed(keys['decision/d1'], REPLIES, requests())],
    ['under another key of the record', 'bad-signature', { ...signed(keys['edge/e1'], REQUESTS, requests()), key: 'moved' }],
    ['that is no JSON', 'malformed', signed(keys['edge/e1'], REQUESTS, Buffer.from('{'))],
    ['that is none', 'malformed', signed(keys['edge/e1'], REQUESTS, requests({}, { timeoutMs: -1 }))],
    ['older than any clock can be wrong', 'out-of-time', signed(keys['edge/e1'], REQUESTS, requests({ sentAtMs: Date.now() - 601_000 }))],
    ['from the future', 'out-of-time', signed(keys['edge/e1'], REQUESTS, requests({ sentAtMs: Date.now() + 660_000 }))],
    ['of a service that may not ask', 'not-allowed', signed(keys['vendor/v1'], REQUESTS, requests())],
    ['for what nobody may ask', 'not-allowed', signed(keys['edge/e1'], REQUESTS, requests({}, { pattern: 'toString' }))],
  ];

  it.each(hostile)('P2: %s is not handled, and costs nobody anything', async (_, reason, record) => {
    await bench.serve(echo, { onDistrusted });
    await bench.bus.produce(REQUESTS, [record]);
    expect(await bench.client().request('echo', 'ours')).toBe('ours');
    await eventually(() => distrusted.length > 0);
    expect([handled, distrusted]).toEqual([['ours'], [reason]]);
  });

  it('P2: of a service without the right role is refused, with a code', async () => {
    await bench.serve(echo);
    for (const name of ['vendor/v1', 'console/c1', 'decision/d2'] as const)
      await expect(bench.client({ key: keys[name] }).request('echo', 1)).rejects.toMatchObject({ code: 'BUS_NOT_ALLOWED' });
    await expect(bench.client().request('unheard of', 1)).rejects.toMatchObject({ code: 'BUS_NOT_ALLOWED' });
    expect(handled).toEqual([]);
  });

  it('P2: of a service that is not enrolled any more is not handled', async () => {
    await bench.serve(echo, { roster: fixedRoster([keys['decision/d1'], keys['edge/e2']]), onDistrusted });
    await expect(bench.client().request('echo', 1, { timeoutMs: 100 })).rejects.toMatchObject({ code: 'BUS_REQUEST_TIMEOUT' });
    expect([handled, distrusted]).toEqual([[], ['unknown-key']]);
  });

  it('P2: is handled once by a server, whichever partition a copy of it comes on', async () => {
    await bench.serve(echo, { onDistrusted });
    const client = bench.client();
    await client.request('echo', 'once');
    const [seen] = await bench.records(REQUESTS);
    for (const partition of [0, 1]) await bench.bus.produce(REQUESTS, [copyOf(seen!, { partition }), copyOf(seen!, { partition })]);
    await eventually(() => distrusted.length === 4);
    expect(await client.request('echo', 'next')).toBe('next');
    expect([handled, distrusted]).toEqual([['once', 'next'], Array(4).fill('replayed')]);
  });

  it('P2: that was recorded is worth nothing after a restart, once it is older than maxClockSkewMs', async () => {
    const before = await bench.serve(echo);
    await bench.client().request('echo', 'then');
    const [seen] = await bench.records(REQUESTS);
    await before.close();
    await bench.serve(echo, { onDistrusted, nowMs: () => Date.now() + 601_000 });
    await bench.bus.produce(REQUESTS, [copyOf(seen!)]);
    await eventually(() => distrusted.length > 0);
    expect([handled, distrusted]).toEqual([['then'], ['out-of-time']]);
  });

  it('P9: maxClockSkewMs is a limit of the server', async () => {
    await bench.serve(echo, { onDistrusted, maxClockSkewMs: 1000 });
    const asked = bench.client({ nowMs: () => Date.now() - 2000 }).request('echo', 1, { timeoutMs: 100 });
    await expect(asked).rejects.toMatchObject({ code: 'BUS_REQUEST_TIMEOUT' });
    expect(distrusted).toEqual(['out-of-time']);
  });

  it('another service can not use up the numbers of a client, nor be told its answers', async () => {
    await bench.serve(echo, { onDistrusted });
    const client = bench.client({ onDistrusted: (reason) => ignored.push(reason) });
    await client.request('echo', 0);
    const { client: id, partition } = JSON.parse((await bench.records(REQUESTS))[0]!.value.toString()) as {
      client: string;
      partition: number;
    };
    // e2 asks in the name of e1's client, ahead of it: the answer is for e2, and e1 doesn't take it for its own.
    const ahead = [1, 2, 3].flatMap((n) => [0, 1].map((lane) => requests({ client: id, partition }, { id: n, lane })));
    await bench.bus.produce(
      REQUESTS,
      ahead.map((value) => signed(keys['edge/e2'], REQUESTS, value)),
    );
    await eventually(() => ignored.length > 0);
    expect(new Set(ignored)).toEqual(new Set(['not-ours']));
    for (const n of [1, 2, 3]) expect(await client.request('echo', n)).toBe(n);
    expect(distrusted).toEqual([]);
  });

  it.each([-300_000, 300_000])(
    'is answered although the clocks are %d ms apart, and dropped when it was under way for too long',
    async (skewMs) => {
      let expired = 0;
      await bench.serve(echo, { onExpired: () => (expired += 1) });
      const client = bench.client({ nowMs: () => Date.now() + skewMs });
      expect(await client.request('echo', 'new')).toBe('new');
      bench.beforeProduce = (topic) => (topic === REQUESTS ? new Promise((resolve) => setTimeout(resolve, 150)) : undefined);
      await expect(client.request('echo', 'late', { timeoutMs: 50 })).rejects.toMatchObject({ code: 'BUS_REQUEST_TIMEOUT' });
      await eventually(() => expired === 1);
      expect(await client.request('echo', 'slow', { timeoutMs: 20_000 })).toBe('slow');
      expect(handled).toEqual(['new', 'slow']);
    },
  );

  it('of a partition that lags far behind the others is not taken for a copy', async () => {
    await bench.serve(echo, { onDistrusted });
    const client = randomUUID();
    const at = (id: number, lane: number) => signed(keys['edge/e1'], REQUESTS, requests({ client }, { id, lane }), { partition: lane });
    for (const [id, lane] of [
      [9000, 1],
      [0, 0],
      [4, 0],
      [9004, 1],
      [9000, 0],
      [0, 0],
    ] as const)
      await bench.bus.produce(REQUESTS, [at(id, lane)]);
    await eventually(() => handled.length + distrusted.length === 6);
    expect([handled.length, distrusted]).toEqual([5, ['replayed']]);
  });

  it('P9: maxRequestTimeoutMs: one that says it has all the time in the world loses its place as others do', async () => {
    await bench.serve({ ...echo, hang: () => new Promise(() => undefined) }, { maxRequestTimeoutMs: 100, maxRunningRequests: 1 });
    const client = bench.client();
    const hanging = client.request('hang', {}, { timeoutMs: 300 });
    const ended = Promise.allSettled([hanging]);
    await bench.bus.produce(REQUESTS, [signed(keys['edge/e2'], REQUESTS, requests({}, { pattern: 'hang', timeoutMs: 1e15 }))]);
    await ended;
    await eventually(() => client.request('echo', 'free', { timeoutMs: 90 }).then(Boolean, () => false));
  });

  it('P9: clockMemoryMs: a clock that was set back is believed again', async () => {
    await bench.serve(echo, { clockMemoryMs: 200 });
    let stepMs = 0;
    const client = bench.client({ nowMs: () => Date.now() - stepMs });
    await client.request('echo', 1);
    stepMs = 60_000;
    await eventually(() => client.request('echo', 2, { timeoutMs: 50 }).then(Boolean, () => false));
  });
});

describe('a reply', () => {
  /** A client that waits, and what a reply to its request must say. */
  async function waiting() {
    const hold = gate();
    await bench.serve({ wait: () => hold.opened.then(() => 'honest') });
    const client = bench.client({ onDistrusted: (reason) => ignored.push(reason) });
    const answer = client.request('wait', {}, { timeoutMs: 20_000 });
    await eventually(async () => (await bench.records(REQUESTS)).length > 0);
    const asked = JSON.parse((await bench.records(REQUESTS))[0]!.value.toString()) as { client: string; partition: number };
    const reply = (more: object = {}, one: object = {}): Buffer => {
      const replies = [{ id: 0, n: 0, last: true, data: 'hostile', ...one }];
      return Buffer.from(JSON.stringify({ to: 'edge/e1', client: asked.client, server: 's', ...more, replies }));
    };
    const place = { key: asked.client, partition: asked.partition };
    return { ...hold, client, answer, reply, place };
  }

  it('P2: is believed of a service of the role that is asked, for what is asked, and of nobody else', async () => {
    const { open, answer, reply, place } = await waiting();
    const forged: readonly (readonly [reason: string, record: OutgoingRecord])[] = [
      ['unsigned', { ...place, value: reply() }],
      ['unknown-key', signed(generateSigningKey('decision/d1'), REPLIES, reply(), place)],
      ['bad-signature', signed({ ...stranger, id: keys['decision/d1'].id }, REPLIES, reply(), place)],
      ['bad-signature', { ...signed(keys['decision/d1'], REPLIES, reply(), place), value: altered(reply()) }],
      ['bad-signature', signed(keys['decision/d1'], 'sallyport.lease.replies', reply(), place)],
      ['bad-signature', { ...signed(keys['decision/d1'], REPLIES, reply(), { ...place, key: 'another client' }), key: place.key }],
      ['wrong-role', signed(keys['edge/e2'], REPLIES, reply(), place)],
      ['wrong-role', signed(keys['vendor/v1'], REPLIES, reply(), place)],
      ['malformed', signed(keys['decision/d1'], REPLIES, Buffer.from('{}'), place)],
      ['not-ours', signed(keys['decision/d1'], REPLIES, reply({ to: 'edge/e2' }), place)],
      ['not-ours', signed(keys['decision/d1'], REPLIES, reply({ client: randomUUID() }), place)],
      ['nobody-waits', signed(keys['decision/d1'], REPLIES, reply({}, { id: 7 }), place)],
      ['nobody-waits', signed(keys['decision/d1'], REPLIES, reply({}, { n: 1 }), place)],
    ];
    for (const [, record] of forged) await bench.bus.produce(REPLIES, [record]);
    await eventually(() => ignored.length === forged.length);
    open();
    expect(await answer).toBe('honest');
    expect(ignored).toEqual(forged.map(([reason]) => reason));
  });

  it('P2: counts once: a copy of it answers nothing', async () => {
    const { open, client, answer, place } = await waiting();
    open();
    await answer;
    const [seen] = await bench.records(REPLIES);
    await bench.bus.produce(REPLIES, [copyOf(seen!, { partition: place.partition })]);
    await eventually(() => ignored.length > 0);
    expect([ignored, client.outstanding]).toEqual([['nobody-waits'], 0]);
  });

  it('P9: maxRecordBytes: what is larger is not even verified', async () => {
    await bench.serve({ much: (n) => 'x'.repeat(n as number) }, { maxRecordBytes: 1000, onDistrusted });
    const client = bench.client({ maxRecordBytes: 600, onDistrusted: (reason) => ignored.push(reason) });
    await expect(client.request('much', 2000)).rejects.toMatchObject({ code: 'BUS_PAYLOAD_TOO_LARGE' });
    await expect(client.request('much', 'x'.repeat(1000))).rejects.toMatchObject({ code: 'BUS_PAYLOAD_TOO_LARGE' });
    await expect(client.request('much', 700, { timeoutMs: 100 })).rejects.toMatchObject({ code: 'BUS_REQUEST_TIMEOUT' });
    expect(ignored).toEqual(['too-large']);
    await bench.bus.produce(REQUESTS, [signed(keys['edge/e1'], REQUESTS, requests({}, { data: 'x'.repeat(1000) }))]);
    await eventually(() => distrusted.length > 0);
    expect(distrusted).toEqual(['too-large']);
  });
});

it('P9: whatever bytes are on the topics, signed or not, requests are answered', async () => {
  await bench.serve(echo, { onDistrusted });
  const client = bench.client({ onDistrusted: (reason) => ignored.push(reason) });
  await client.request('echo', 0);
  const { client: id, partition } = JSON.parse((await bench.records(REQUESTS))[0]!.value.toString()) as {
    client: string;
    partition: number;
  };
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 200 }),
    fc.json().map((text) => Buffer.from(text)),
    nearlyRequests(id),
    nearlyReplies(id),
  );
  await fc.assert(
    fc.asyncProperty(bytes, fc.constantFrom(REQUESTS, REPLIES), fc.boolean(), async (value, topic, honest) => {
      const record = { key: topic === REPLIES ? id : null, value: Buffer.from(value), partition };
      const by = keys[topic === REPLIES ? 'decision/d1' : 'edge/e2'];
      await bench.bus.produce(topic, [honest ? signRecord(by, topic, record) : record]);
    }),
    { numRuns: 400 },
  );
  expect(await client.request('echo', 'still here')).toBe('still here');
  expect(Math.min(distrusted.length, ignored.length)).toBeGreaterThan(50);
});

function nearlyRequests(client: string): fc.Arbitrary<Buffer> {
  const request = fc.record(
    {
      id: fc.oneof(fc.nat(9), fc.anything()),
      lane: fc.nat(3),
      pattern: fc.string(),
      timeoutMs: fc.oneof(fc.nat(), fc.double()),
      data: fc.jsonValue(),
    },
    { requiredKeys: [] },
  );
  const record = { client: fc.constant(client), partition: fc.nat(), sentAtMs: fc.oneof(fc.constant(Date.now()), fc.double()) };
  return jsonBytes(fc.record({ ...record, requests: fc.array(fc.oneof(request, fc.jsonValue())) }, { requiredKeys: ['client'] }));
}

function nearlyReplies(client: string): fc.Arbitrary<Buffer> {
  const reply = fc.record(
    { id: fc.nat(), n: fc.nat(3), last: fc.boolean(), error: fc.oneof(fc.jsonValue(), fc.constant({})) },
    { requiredKeys: [] },
  );
  const record = { to: fc.constantFrom('edge/e1', 'x'), client: fc.constant(client), server: fc.string() };
  return jsonBytes(fc.record({ ...record, replies: fc.array(fc.oneof(reply, fc.jsonValue())) }, { requiredKeys: ['client'] }));
}

function jsonBytes(values: fc.Arbitrary<unknown>): fc.Arbitrary<Buffer> {
  return values.map((value) =>
    Buffer.from(JSON.stringify(value, (_, part: unknown) => (typeof part === 'bigint' ? String(part) : part)) ?? ''),
  );
}

it('each service that answers has a role', () => {
  expect(SERVICE_ROLES).toEqual({ decide: 'decision', lease: 'vendor', projector: 'projector' });
  expect(roster.ofRole('decision')).toHaveLength(2);
});
