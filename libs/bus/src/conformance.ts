// What a bus is, as tests (longer than most files for it): an adapter that fails one of them isn't a bus. Registers jest tests, so it has an
// export path of its own that production code never loads.
import { randomUUID } from 'node:crypto';
import type { Bus, BusRecord, ConsumeOptions, Consumption, OutgoingRecord } from './bus.port.js';
import { TOPICS } from './topics.js';

/** One bus with empty topics. */
export interface BusUnderTest {
  readonly bus: Bus;
  /** Closes the bus and opens it again on the same log, as a restart does. */
  reopen(): Promise<Bus>;
  stop(): Promise<void>;
}

const TOPIC = TOPICS.sessions;
const TRANSIENT = 'sallyport.decide.conformance';
const WAIT_MS = 15_000;

const text = (key: string | null, value: string, rest: Partial<OutgoingRecord> = {}): OutgoingRecord => ({
  key,
  value: Buffer.from(value),
  ...rest,
});
const numbered = (count: number, key: (n: number) => string | null = () => 'k'): OutgoingRecord[] =>
  Array.from({ length: count }, (_, n) => text(key(n), `${n}`));
const values = (records: readonly BusRecord[]): string[] => records.map((record) => record.value.toString());

async function eventually(what: string, holds: () => boolean): Promise<void> {
  for (const until = Date.now() + WAIT_MS; !holds();) {
    if (Date.now() > until) throw new Error(`did not happen: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

const settled = (ms = 100): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

export function busConformance(name: string, makeBus: () => Promise<BusUnderTest>): void {
  describe(`bus conformance: ${name}`, () => {
    let under: BusUnderTest;
    let bus: Bus;
    let open: Consumption[];

    beforeEach(async () => {
      under = await makeBus();
      bus = under.bus;
      open = [];
    });
    afterEach(async () => {
      for (const consumption of open) await consumption.close();
      await under.stop();
    });

    async function consume(
      options: Omit<ConsumeOptions, 'onBatch' | 'topic'> & Partial<ConsumeOptions>,
    ): Promise<{ seen: BusRecord[]; consumption: Consumption }> {
      const seen: BusRecord[] = [];
      const consumption = await bus.consume({
        topic: TOPIC,
        async onBatch(batch, context) {
          seen.push(...batch);
          if (options.group !== undefined) await context.commit();
        },
        ...options,
      });
      open.push(consumption);
      return { seen, consumption };
    }

    async function readAll(partition: number, from = 0n): Promise<BusRecord[]> {
      const all: BusRecord[] = [];
      for (let at = from; ; at = all.at(-1)!.offset + 1n) {
        const batch = await bus.read(TOPIC, partition, at, 100);
        if (batch.length === 0) return all;
        all.push(...batch);
      }
    }

    it('a key has one partition, and its records stay in order', async () => {
      const keys = Array.from({ length: 12 }, (_, n) => `session-${n}`);
      for (let round = 0; round < 5; round++)
        await bus.produce(
          TOPIC,
          keys.map((key) => text(key, `${key}:${round}`)),
        );
      const partitions = new Map<string, Set<number>>();
      const order = new Map<string, string[]>();
      for (const { partition } of await bus.ends(TOPIC)) {
        for (const record of await readAll(partition)) {
          partitions.set(record.key!, (partitions.get(record.key!) ?? new Set()).add(partition));
          order.set(record.key!, [...(order.get(record.key!) ?? []), record.value.toString()]);
        }
      }
      for (const key of keys) {
        expect(partitions.get(key)!.size).toBe(1);
        expect(order.get(key)).toEqual([0, 1, 2, 3, 4].map((round) => `${key}:${round}`));
      }
    });

    it('the records of one call keep their order, and so do calls that overlap', async () => {
      const calls = Array.from({ length: 20 }, (_, call) =>
        bus.produce(
          TOPIC,
          [0, 1, 2].map((n) => text('k', `${call}.${n}`)),
        ),
      );
      const placed = (await Promise.all(calls)).flat();
      const { partition } = placed[0]!;
      expect(values(await readAll(partition))).toEqual(Array.from({ length: 60 }, (_, n) => `${Math.floor(n / 3)}.${n % 3}`));
    });

    it('offsets grow without gaps for one writer, and say where the record is', async () => {
      const first = await bus.produce(TOPIC, numbered(5));
      const second = await bus.produce(TOPIC, numbered(5));
      const placed = [...first, ...second];
      expect(placed.map(({ offset }) => offset - placed[0]!.offset)).toEqual([0n, 1n, 2n, 3n, 4n, 5n, 6n, 7n, 8n, 9n]);
      const { partition, offset } = placed[7]!;
      expect(values(await bus.read(TOPIC, partition, offset, 1))).toEqual(['2']);
    });

    it('a record comes back as it was written: bytes, key, headers, time', async () => {
      const value = Buffer.from([0, 1, 2, 0xff, 0xc3, 0x28]);
      const [placed] = await bus.produce(TOPIC, [
        { key: 'ключ', value, headers: { a: 'b', ü: 'ö' }, timestampMs: 1_700_000_000_123, partition: 0 },
      ]);
      const [nothing] = await bus.produce(TOPIC, [{ key: null, value: Buffer.alloc(0), partition: 0 }]);
      expect(await bus.read(TOPIC, 0, placed!.offset, 1)).toEqual([
        {
          topic: TOPIC,
          partition: 0,
          offset: placed!.offset,
          timestampMs: 1_700_000_000_123,
          key: 'ключ',
          value,
          headers: { a: 'b', ü: 'ö' },
        },
      ]);
      const [empty] = await bus.read(TOPIC, 0, nothing!.offset, 1);
      expect(empty).toMatchObject({ key: null, headers: {} });
      expect(empty!.value).toHaveLength(0);
      expect(Math.abs(empty!.timestampMs - Date.now())).toBeLessThan(60_000);
    });

    it('no records are no records', async () => {
      expect(await bus.produce(TOPIC, [])).toEqual([]);
      expect((await bus.ends(TOPIC)).every(({ first, next }) => first === next)).toBe(true);
    });

    it('P1: what was produced is there after a reopening, and offsets go on', async () => {
      const before = await bus.produce(TOPIC, numbered(20));
      bus = await under.reopen();
      const { partition, offset } = before[0]!;
      expect(values(await readAll(partition, offset))).toEqual(numbered(20).map(({ value }) => value.toString()));
      const [after] = await bus.produce(TOPIC, [text('k', 'after')]);
      expect(after).toEqual({ partition, offset: before.at(-1)!.offset + 1n });
    });

    it('reads at random, and an empty list at the end', async () => {
      const placed = await bus.produce(TOPIC, numbered(50));
      const { partition, offset } = placed[0]!;
      expect(values(await bus.read(TOPIC, partition, offset + 31n, 3))).toEqual(['31', '32', '33']);
      expect(values(await bus.read(TOPIC, partition, offset + 49n, 10))).toEqual(['49']);
      expect(await bus.read(TOPIC, partition, offset + 50n, 10)).toEqual([]);
      const ends = (await bus.ends(TOPIC)).find((end) => end.partition === partition);
      expect(ends).toEqual({ partition, first: offset, next: offset + 50n });
    });

    it('knows no other topics and partitions', async () => {
      await expect(bus.produce('no.such.topic', [text('k', 'v')])).rejects.toThrow();
      await expect(bus.produce(TOPIC, [text('k', 'v', { partition: 99 })])).rejects.toMatchObject({ code: 'BUS_PARTITION' });
      await expect(bus.read(TOPIC, 99, 0n, 1)).rejects.toMatchObject({ code: 'BUS_PARTITION' });
    });

    describe('where a consumer starts', () => {
      it('earliest: everything, and then what comes', async () => {
        await bus.produce(TOPIC, numbered(3));
        const { seen } = await consume({ start: { at: 'earliest' } });
        await bus.produce(TOPIC, [text('k', 'later')]);
        await eventually('four records', () => seen.length === 4);
        expect(values(seen)).toEqual(['0', '1', '2', 'later']);
      });

      it('latest: only what is produced after consume has resolved', async () => {
        await bus.produce(TOPIC, numbered(3));
        const { seen } = await consume({ start: { at: 'latest' } });
        await bus.produce(TOPIC, [text('k', 'later')]);
        await eventually('one record', () => seen.length > 0);
        expect(values(seen)).toEqual(['later']);
      });

      it('timestamp: from the first record that is not older', async () => {
        await bus.produce(
          TOPIC,
          [10, 20, 30, 40].map((timestampMs) => text('k', `${timestampMs}`, { timestampMs: 1_700_000_000_000 + timestampMs })),
        );
        const { seen, consumption } = await consume({ start: { at: 'timestamp', timestampMs: 1_700_000_000_021 } });
        await eventually('two records', () => seen.length === 2);
        expect(values(seen)).toEqual(['30', '40']);
        // And says where that is, also where nothing is so new: a last record with an old time tells nobody.
        const { partition, offset } = seen[0]!;
        expect(consumption.starts?.get(partition)).toBe(offset);
        await bus.produce(TOPIC, [text('k', 'old', { timestampMs: 1 })]);
        const none = await consume({ start: { at: 'timestamp', timestampMs: 1_800_000_000_000 } });
        expect(none.consumption.starts).toEqual(new Map((await bus.ends(TOPIC)).map((end) => [end.partition, end.next])));
      });

      it('offsets: there, whatever the group has committed', async () => {
        const placed = await bus.produce(TOPIC, numbered(5));
        const { partition, offset } = placed[0]!;
        const group = randomUUID();
        const first = await consume({ group, start: { at: 'earliest' } });
        await eventually('five records', () => first.seen.length === 5);
        await first.consumption.close();
        const { seen } = await consume({ group, start: { at: 'offsets', offsets: { [partition]: offset + 2n } } });
        await eventually('three records', () => seen.length === 3);
        expect(values(seen)).toEqual(['2', '3', '4']);
      });

      it('stored: at the place that its owner says, also after the group has shared anew', async () => {
        const partitions = (await bus.ends(TOPIC)).length;
        for (let partition = 0; partition < partitions; partition++)
          await bus.produce(
            TOPIC,
            numbered(10).map((record) => ({ ...record, partition })),
          );
        const group = randomUUID();
        const stored = new Map<number, bigint>();
        const seen: string[] = [];
        const join = () =>
          consume({
            group,
            start: { at: 'stored', offsetOf: async (partition) => stored.get(partition) ?? 4n },
            onBatch: async (batch) => {
              seen.push(...batch.map(({ partition, offset }) => `${partition}/${offset}`));
              stored.set(batch[0]!.partition, batch.at(-1)!.offset + 1n);
            },
          });
        const first = await join();
        await eventually('six records of each partition', () => seen.length === partitions * 6);
        await join();
        await first.consumption.close();
        for (let partition = 0; partition < partitions; partition++) await bus.produce(TOPIC, [text('k', 'later', { partition })]);
        await eventually('one more of each', () => seen.length >= partitions * 7);
        await settled();
        expect(new Set(seen).size).toBe(partitions * 7);
        expect(seen).toHaveLength(partitions * 7);
      });

      it('stored: asks again when its owner can not say now, and the other partitions go on', async () => {
        const ends = await bus.ends(TOPIC);
        for (const { partition } of ends)
          await bus.produce(
            TOPIC,
            numbered(5).map((record) => ({ ...record, partition })),
          );
        const last = ends.at(-1)!.partition;
        let away = true;
        const told: unknown[] = [];
        const seen: BusRecord[] = [];
        await consume({
          group: randomUUID(),
          onBatch: async (batch) => void seen.push(...batch),
          start: {
            at: 'stored',
            offsetOf: async (partition) => {
              if (away && partition === last) throw new Error('not now');
              return 2n;
            },
          },
          onError: (error) => void told.push(error),
        });
        await eventually('the other partitions', () => seen.length === (ends.length - 1) * 3 && told.length > 0);
        away = false;
        await eventually('the last one', () => seen.length === ends.length * 3);
        expect(seen.every(({ offset }) => offset >= 2n)).toBe(true);
      });

      it('partitions: only those, without a group', async () => {
        const ends = await bus.ends(TOPIC);
        const { partition } = ends.at(-1)!;
        for (const end of ends) await bus.produce(TOPIC, [text(null, `${end.partition}`, { partition: end.partition })]);
        const { seen } = await consume({ start: { at: 'earliest' }, partitions: [partition] });
        await eventually('one record', () => seen.length > 0);
        await settled();
        expect(values(seen)).toEqual([`${partition}`]);
        await expect(
          bus.consume({ topic: TOPIC, group: 'g', partitions: [0], start: { at: 'earliest' }, onBatch: async () => undefined }),
        ).rejects.toMatchObject({ code: 'BUS_OPTION' });
      });
    });

    it('two consumers without a group each get everything', async () => {
      const one = await consume({ start: { at: 'earliest' } });
      const two = await consume({ start: { at: 'earliest' } });
      await bus.produce(TOPIC, numbered(30));
      await eventually('everything twice', () => one.seen.length === 30 && two.seen.length === 30);
      expect(values(one.seen)).toEqual(values(two.seen));
    });

    describe('groups', () => {
      it('share the partitions among their members', async () => {
        const partitions = (await bus.ends(TOPIC)).length;
        const group = randomUUID();
        const one = await consume({ group, start: { at: 'earliest' } });
        const two = await consume({ group, start: { at: 'earliest' } });
        await settled();
        for (let partition = 0; partition < partitions; partition++)
          await bus.produce(
            TOPIC,
            numbered(10).map((record) => ({ ...record, partition })),
          );
        await eventually('everything once', () => one.seen.length + two.seen.length >= partitions * 10);
        await settled();
        expect(one.seen.length + two.seen.length).toBe(partitions * 10);
        const taken = [one, two].map(({ seen }) => new Set(seen.map((record) => record.partition)));
        expect([...taken[0]!].filter((partition) => taken[1]!.has(partition))).toEqual([]);
        if (partitions > 1) expect(taken.every((set) => set.size > 0)).toBe(true);
      });

      it('hand the partitions of a member that leaves to the others', async () => {
        const partitions = (await bus.ends(TOPIC)).length;
        const group = randomUUID();
        const one = await consume({ group, start: { at: 'earliest' } });
        const two = await consume({ group, start: { at: 'earliest' } });
        await one.consumption.close();
        for (let partition = 0; partition < partitions; partition++)
          await bus.produce(
            TOPIC,
            numbered(4).map((record) => ({ ...record, partition })),
          );
        await eventually('the rest takes over', () => two.seen.length >= partitions * 4);
        expect(one.seen).toEqual([]);
      });

      it('go on at the committed offset, also after a reopening', async () => {
        await bus.produce(TOPIC, numbered(10));
        const group = randomUUID();
        const first = await consume({ group, start: { at: 'earliest' } });
        await eventually('ten records', () => first.seen.length === 10);
        await first.consumption.close();
        bus = await under.reopen();
        open = [];
        await bus.produce(TOPIC, [text('k', 'after')]);
        const second = await consume({ group, start: { at: 'earliest' } });
        await eventually('one record', () => second.seen.length > 0);
        await settled();
        expect(values(second.seen)).toEqual(['after']);
      });

      it('go on behind what was committed without waiting', async () => {
        await bus.produce(TOPIC, numbered(10));
        const group = randomUUID();
        const seen: BusRecord[] = [];
        const first = await consume({
          group,
          start: { at: 'earliest' },
          async onBatch(batch, context) {
            seen.push(...batch);
            context.commitSoon();
          },
        });
        await eventually('ten records', () => seen.length === 10);
        // Leaving the group takes what is not committed yet along.
        await first.consumption.close();
        await bus.produce(TOPIC, [text('k', 'after')]);
        const second = await consume({ group, start: { at: 'earliest' } });
        await eventually('one record', () => second.seen.length > 0);
        await settled();
        expect(values(second.seen)).toEqual(['after']);
      });

      it('give what was not committed again', async () => {
        await bus.produce(TOPIC, numbered(5));
        const group = randomUUID();
        const seen: BusRecord[] = [];
        const first = await consume({ group, start: { at: 'earliest' }, onBatch: async (batch) => void seen.push(...batch) });
        await eventually('five records', () => seen.length === 5);
        await first.consumption.close();
        const second = await consume({ group, start: { at: 'earliest' } });
        await eventually('five again', () => second.seen.length === 5);
        expect(values(second.seen)).toEqual(values(seen));
      });

      it('share one topic: the same name on another topic is another group', async () => {
        const group = randomUUID();
        const one = await consume({ group, start: { at: 'earliest' } });
        const two = await consume({ group, topic: TOPICS.control, start: { at: 'earliest' } });
        for (const topic of [TOPIC, TOPICS.control])
          for (const { partition } of await bus.ends(topic)) await bus.produce(topic, [text('k', topic, { partition })]);
        const [sessions, control] = [(await bus.ends(TOPIC)).length, (await bus.ends(TOPICS.control)).length];
        await eventually('each has its own', () => one.seen.length === sessions && two.seen.length === control);
        expect(new Set(values(one.seen))).toEqual(new Set([TOPIC]));
        expect(new Set(values(two.seen))).toEqual(new Set([TOPICS.control]));
      });

      it('know nothing of each other', async () => {
        await bus.produce(TOPIC, numbered(5));
        const one = await consume({ group: randomUUID(), start: { at: 'earliest' } });
        await eventually('five records', () => one.seen.length === 5);
        const two = await consume({ group: randomUUID(), start: { at: 'earliest' } });
        await eventually('five records', () => two.seen.length === 5);
      });

      it('are needed for a commit', async () => {
        let code: unknown;
        await consume({
          start: { at: 'earliest' },
          onBatch: async (_, context) => void (await context.commit().catch((error: { code: unknown }) => (code = error.code))),
        });
        await bus.produce(TOPIC, [text('k', 'v')]);
        await eventually('a refusal', () => code === 'BUS_NO_GROUP');
      });
    });

    it('a batch whose handler fails comes again, the same, and nothing is skipped', async () => {
      const attempts: string[][] = [];
      const errors: unknown[] = [];
      const done: string[] = [];
      await consume({
        group: randomUUID(),
        start: { at: 'earliest' },
        maxBatchRecords: 4,
        async onBatch(batch, context) {
          attempts.push(values(batch));
          if (attempts.length <= 3) throw new Error(`attempt ${attempts.length}`);
          done.push(...values(batch));
          await context.commit();
        },
        onError: (error) => errors.push(error),
      });
      await bus.produce(TOPIC, numbered(10));
      await eventually('everything in the end', () => done.length === 10);
      expect(attempts[1]).toEqual(attempts[0]);
      expect(attempts[2]).toEqual(attempts[0]);
      expect(attempts[3]).toEqual(attempts[0]);
      expect(done).toEqual(numbered(10).map(({ value }) => value.toString()));
      expect(errors.map((error) => (error as Error).message)).toEqual(['attempt 1', 'attempt 2', 'attempt 3']);
    });

    it('P9: a slow consumer holds one batch of a partition, and costs nobody else', async () => {
      let release = (): void => undefined;
      const held = new Promise<void>((resolve) => (release = resolve));
      const sizes: number[] = [];
      const slow: string[] = [];
      await consume({
        start: { at: 'earliest' },
        maxBatchRecords: 10,
        async onBatch(batch) {
          sizes.push(batch.length);
          await held;
          slow.push(...values(batch));
        },
      });
      const quick = await consume({ start: { at: 'earliest' } });
      for (let round = 0; round < 10; round++)
        await bus.produce(
          TOPIC,
          numbered(100, () => 'k').map((record, n) => ({ ...record, value: Buffer.from(`${round * 100 + n}`) })),
        );
      await eventually('the quick one has everything', () => quick.seen.length === 1000);
      expect(sizes).toHaveLength(1);
      release();
      await eventually('the slow one too', () => slow.length === 1000);
      expect(Math.max(...sizes)).toBeLessThanOrEqual(10);
      expect(slow).toEqual(values(quick.seen));
    });

    it('carries records of 1 MiB', async () => {
      const large = Array.from({ length: 5 }, (_, n) => Buffer.alloc(2 ** 20, n + 1));
      const { seen } = await consume({ start: { at: 'earliest' } });
      for (const value of large) await bus.produce(TOPIC, [{ key: 'k', value }]);
      await eventually('five records', () => seen.length === 5);
      expect(seen.every((record, n) => record.value.equals(large[n]!))).toBe(true);
    });

    it('transient topics carry what is produced while somebody listens', async () => {
      const { seen } = await consume({ topic: TRANSIENT, start: { at: 'latest' } });
      const grouped = await consume({ topic: TRANSIENT, group: randomUUID(), start: { at: 'latest' } });
      await bus.produce(TRANSIENT, [text('k', 'request', { headers: { id: '1' } })]);
      await eventually('both have it', () => seen.length === 1 && grouped.seen.length === 1);
      expect(seen[0]).toMatchObject({ topic: TRANSIENT, key: 'k', headers: { id: '1' } });
      const end = (await bus.ends(TRANSIENT)).find(({ partition }) => partition === seen[0]!.partition);
      expect(end!.next).toBe(seen[0]!.offset + 1n);
      expect(values(await bus.read(TRANSIENT, seen[0]!.partition, seen[0]!.offset, 1))).toEqual(['request']);
    });

    describe('closing', () => {
      it('a consumer waits for its batch, and gets none afterwards', async () => {
        let release = (): void => undefined;
        const held = new Promise<void>((resolve) => (release = resolve));
        let running = false;
        let batches = 0;
        const { consumption } = await consume({
          start: { at: 'earliest' },
          async onBatch() {
            batches += 1;
            running = true;
            await held;
            running = false;
          },
        });
        await bus.produce(TOPIC, [text('k', 'one')]);
        await eventually('the batch runs', () => running);
        const closed = consumption.close();
        release();
        await closed;
        expect(running).toBe(false);
        await bus.produce(TOPIC, [text('k', 'two')]);
        await settled();
        expect(batches).toBe(1);
        await consumption.close();
      });

      it('a consumer whose handler only fails can be closed', async () => {
        let attempts = 0;
        const { consumption } = await consume({
          start: { at: 'earliest' },
          async onBatch() {
            attempts += 1;
            throw new Error('never');
          },
        });
        await bus.produce(TOPIC, [text('k', 'one')]);
        await eventually('it fails', () => attempts > 0);
        await consumption.close();
        const until = attempts;
        await settled();
        expect(attempts).toBe(until);
      });

      it('the bus finishes what is under way and then refuses every call', async () => {
        await consume({ start: { at: 'earliest' } });
        const last = bus.produce(TOPIC, numbered(10));
        await bus.close();
        expect(await last).toHaveLength(10);
        const closed = { code: 'BUS_CLOSED' };
        await expect(bus.produce(TOPIC, [text('k', 'v')])).rejects.toMatchObject(closed);
        await expect(bus.read(TOPIC, 0, 0n, 1)).rejects.toMatchObject(closed);
        await expect(bus.ends(TOPIC)).rejects.toMatchObject(closed);
        await expect(bus.consume({ topic: TOPIC, start: { at: 'earliest' }, onBatch: async () => undefined })).rejects.toMatchObject(
          closed,
        );
        await bus.close();
      });
    });
  });
}
