import { type Bus, TOPICS } from '@sallyport/bus';
import { busConformance } from '@sallyport/bus/conformance';
import fs from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EMBEDDED_BUS_LIMITS, type EmbeddedBusOptions, openEmbeddedBus, readEmbeddedTopic } from './index.js';
import { MemoryPartition, TRANSIENT_LIMITS } from './memory-partition.js';

const SMALL = { segmentBytes: 256 * 1024, preallocateBytes: 64 * 1024 };
const record = (key: string | null, value: string) => ({ key, value: Buffer.from(value) });

for (const partitions of [1, 3]) {
  busConformance(`embedded, ${partitions} partitions a topic`, async () => {
    const dir = await fs.mkdtemp(join(tmpdir(), 'bus-'));
    let bus = await openEmbeddedBus({ dir, partitions, ...SMALL });
    return {
      bus,
      async reopen() {
        await bus.close();
        return (bus = await openEmbeddedBus({ dir, partitions, ...SMALL }));
      },
      async stop() {
        await bus.close();
        await fs.rm(dir, { recursive: true });
      },
    };
  });
}

describe('the embedded bus', () => {
  let dir: string;
  let buses: Bus[];

  beforeEach(async () => {
    dir = await fs.mkdtemp(join(tmpdir(), 'bus-'));
    buses = [];
  });
  afterEach(async () => {
    for (const bus of buses) await bus.close();
    await fs.rm(dir, { recursive: true });
  });

  async function open(options: Partial<EmbeddedBusOptions> = {}): Promise<Bus> {
    const bus = await openEmbeddedBus({ dir, ...SMALL, ...options });
    buses.push(bus);
    return bus;
  }

  it('P9: has limits with defaults', () => {
    expect(Object.values(EMBEDDED_BUS_LIMITS).every((limit) => Number.isFinite(limit) && limit > 0)).toBe(true);
  });

  it('P9: a full topic refuses, and says so', async () => {
    const bus = await open({ topicMaxBytes: 1000 });
    await bus.produce(TOPICS.control, [record('k', 'x'.repeat(800))]);
    await expect(bus.produce(TOPICS.control, [record('k', 'x'.repeat(800))])).rejects.toMatchObject({ code: 'BUS_FULL' });
    await bus.produce(TOPICS.sessions, [record('k', 'another topic has its own')]);
  });

  it('P9: maxRecordBytes', async () => {
    const bus = await open({ maxRecordBytes: 1000, transientMaxRecordBytes: 1000 });
    for (const topic of [TOPICS.control, 'sallyport.decide.requests']) {
      await expect(bus.produce(topic, [record('k', 'x'.repeat(1001))])).rejects.toMatchObject({ code: 'BUS_RECORD_TOO_LARGE' });
    }
  });

  it('P9: maxConsumers', async () => {
    const bus = await open({ maxConsumers: 1 });
    const options = { topic: TOPICS.control, start: { at: 'latest' }, onBatch: async () => undefined } as const;
    const first = await bus.consume(options);
    await expect(bus.consume(options)).rejects.toMatchObject({ code: 'BUS_BUSY' });
    await first.close();
    await bus.consume(options);
  });

  it('P9: transient topics forget their oldest records, by bytes, count and age', async () => {
    const kept = async (limits: Partial<typeof TRANSIENT_LIMITS>, records: readonly { bytes: number; ageMs?: number }[]) => {
      const log = new MemoryPartition('t', 0, { ...TRANSIENT_LIMITS, ...limits });
      for (const { bytes, ageMs = 0 } of records)
        await log.append([{ key: null, value: Buffer.alloc(bytes), timestampMs: Date.now() - ageMs }]);
      expect(log.next).toBe(BigInt(records.length));
      const left = await log.read(0n, 1000, 10 ** 9);
      expect(left[0]!.offset).toBe(log.first);
      return left.length;
    };
    const ten = Array.from({ length: 10 }, () => ({ bytes: 100 }));
    expect(await kept({}, ten)).toBe(10);
    expect(await kept({ transientMaxBytes: 350 }, ten)).toBe(3);
    expect(await kept({ transientMaxRecords: 4 }, ten)).toBe(4);
    expect(await kept({ transientMaxAgeMs: 1000 }, [{ bytes: 1, ageMs: 5000 }, { bytes: 1, ageMs: 4000 }, { bytes: 1 }])).toBe(1);
    expect(
      await kept(
        { transientMaxRecords: 10 },
        Array.from({ length: 5000 }, () => ({ bytes: 1 })),
      ),
    ).toBe(10);
  });

  it('a group on a transient topic begins anew with it', async () => {
    const topic = 'sallyport.decide.requests';
    for (const round of ['before', 'after']) {
      const bus = await open();
      const seen: string[] = [];
      const both = new Promise<void>((resolve) => {
        void bus.consume({
          topic,
          group: 'g',
          start: { at: 'earliest' },
          async onBatch(batch, context) {
            await context.commit();
            if (seen.push(...batch.map(({ value }) => value.toString())) === 2) resolve();
          },
        });
      });
      await bus.produce(topic, [record(null, `${round} 1`), record(null, `${round} 2`)]);
      await both;
      expect(seen).toEqual([`${round} 1`, `${round} 2`]);
      await bus.close();
    }
  });

  it('keeps the number of partitions that a topic has', async () => {
    const first = await open({ partitions: 3 });
    await first.produce(TOPICS.sessions, [record('k', 'v')]);
    await first.close();
    const bus = await open({ partitions: 5 });
    expect(await bus.ends(TOPICS.sessions)).toHaveLength(3);
    expect(await bus.ends(TOPICS.control)).toHaveLength(5);
  });

  it('is in one hand', async () => {
    await open();
    await expect(openEmbeddedBus({ dir })).rejects.toMatchObject({ code: 'BUS_LOCKED' });
  });

  it('no name leads out of the directory', async () => {
    const bus = await open();
    for (const topic of ['../x', 'a/b', '', '.', 'sallyport.decide./../../x']) {
      await expect(bus.produce(topic, [record('k', 'v')])).rejects.toMatchObject({ code: 'BUS_TOPIC' });
    }
  });

  it('commits survive any number of them', async () => {
    const bus = await open();
    await bus.produce(
      TOPICS.control,
      Array.from({ length: 300 }, (_, n) => record('k', `${n}`)),
    );
    let seen = 0;
    await new Promise<void>((resolve) => {
      void bus.consume({
        topic: TOPICS.control,
        group: 'g'.repeat(5000),
        start: { at: 'earliest' },
        maxBatchRecords: 1,
        async onBatch(_, context) {
          await context.commit();
          if (++seen === 299) resolve();
        },
      });
    });
    await bus.close();
    expect((await fs.readdir(join(dir, 'groups'))).filter((name) => name.endsWith('.segment'))).toHaveLength(1);
    const again = await open();
    const offset = await new Promise<bigint>((resolve) => {
      void again.consume({
        topic: TOPICS.control,
        group: 'g'.repeat(5000),
        start: { at: 'earliest' },
        onBatch: async (batch) => resolve(batch[0]!.offset),
      });
      setTimeout(() => resolve(300n), 300);
    });
    expect([299n, 300n]).toContain(offset);
  });

  it('P6: a copy of the directory can be read offline, and damage is reported with its place', async () => {
    const bus = await open({ partitions: 2 });
    for (const partition of [0, 1]) {
      for (let n = 0; n < 5; n++) await bus.produce(TOPICS.sessions, [{ ...record('k', `${partition}.${n}`), partition }]);
    }
    const copy = join(dir, 'copy');
    await fs.cp(join(dir, 'topics'), join(copy, 'topics'), { recursive: true });
    const path = join(copy, 'topics', TOPICS.sessions, '1', '00000000000000000000.segment');
    const bytes = await fs.readFile(path);
    const at = bytes.indexOf('1.2');
    bytes[at]! ^= 1;
    await fs.writeFile(path, bytes);
    const found: string[] = [];
    const damage = [];
    for await (const one of readEmbeddedTopic(copy, TOPICS.sessions)) {
      if (one.kind === 'record') found.push(one.record.value.toString());
      else damage.push(one);
    }
    expect(found).toEqual(['0.0', '0.1', '0.2', '0.3', '0.4', '1.0', '1.1', '1.3', '1.4']);
    expect(damage).toMatchObject([{ kind: 'corrupt', partition: 1, file: '00000000000000000000.segment', position: at - 41, offset: 2n }]);
    for await (const _ of readEmbeddedTopic(copy, 'no.such.topic')) throw new Error('there is none');
  });
});
