import { jest } from '@jest/globals';
import type { Bus, BusRecord, ConsumeOptions, OutgoingRecord } from '@sallyport/bus';
import { TOPICS } from '@sallyport/bus';
import { generateSigningKey, type SigningKey } from '@sallyport/events';
import { fixedRoster, followTrusted, type Roster, writeControl } from './index.js';

/** One partition in memory: as much of a bus as is followed here. */
function memoryBus(first = 0n) {
  const records: BusRecord[] = [];
  const failing = { reads: 0 };
  let consumer: ConsumeOptions | undefined;
  const context = { commit: async () => undefined, commitSoon: () => undefined };
  const produce = async (topic: string, outgoing: readonly OutgoingRecord[]) => {
    const added = outgoing.map(({ key, value, headers = {} }) => {
      const record = { topic, partition: 0, offset: BigInt(records.length), timestampMs: 0, key, value: Buffer.from(value), headers };
      records.push(record);
      return record;
    });
    await consumer?.onBatch(added, context);
    return added.map(({ partition, offset }) => ({ partition, offset }));
  };
  const bus = {
    produce,
    ends: async () => [{ partition: 0, first, next: BigInt(records.length) }],
    read: async (_: string, __: number, offset: bigint, max: number) => {
      if (failing.reads-- > 0) throw new Error('not now');
      return records.slice(Number(offset), Number(offset) + max);
    },
    consume: async (options: ConsumeOptions) => {
      consumer = options;
      if (records.length > 0) void options.onBatch([...records], context);
      return { close: async () => undefined };
    },
  };
  return { bus: bus as unknown as Bus, records, failing };
}

const key = generateSigningKey('console/c1');
const revoke = (bus: Bus, id: string, by: SigningKey = key) =>
  writeControl(bus, by, { id, subject: 'a', key: 'a', timeMs: 0 }, 'principal.revoked', { subject: 'a', by: 'dana', reason: id });

async function follow(bus: Bus, roster: Roster, heard: string[], broken: string[] = []) {
  const errors: unknown[] = [];
  const distrusted: string[] = [];
  const following = await followTrusted({
    bus,
    topic: TOPICS.control,
    roster,
    onEvent: ({ id }) => {
      heard.push(id);
      if (broken.includes(id)) throw new Error(id);
    },
    onDistrusted: (reason) => distrusted.push(reason),
    onError: (error) => errors.push(error),
  });
  return { following, errors, distrusted };
}

describe('following the control stream', () => {
  it('hears what was there before it resolves, and each event once', async () => {
    const { bus, records } = memoryBus();
    await revoke(bus, 'r1');
    const heard: string[] = [];
    const { following } = await follow(bus, fixedRoster([key]), heard);
    expect(heard).toEqual(['r1']);
    await revoke(bus, 'r2');
    const copy = records[0]!;
    await bus.produce(TOPICS.control, [{ key: copy.key, value: copy.value, headers: copy.headers }]);
    expect(heard).toEqual(['r1', 'r2']);
    await following.close();
  });

  it('P10: what strangers write is passed over, and keeps nothing behind it from being heard', async () => {
    const { bus } = memoryBus();
    const heard: string[] = [];
    const { distrusted, errors, following } = await follow(bus, fixedRoster([key]), heard, ['r2']);
    await revoke(bus, 'r1', generateSigningKey('console/c1'));
    await bus.produce(TOPICS.control, [{ key: 'a', value: Buffer.from('{') }]);
    await revoke(bus, 'r2');
    await revoke(bus, 'r3');
    expect(heard).toEqual(['r2', 'r3']);
    expect(distrusted).toEqual(['unknown-key', 'unsigned']);
    expect(errors).toMatchObject([{ message: 'r2' }]);
    await following.close();
  });

  it('P10: hears all that a service said before its key had arrived here, whatever strangers have written since', async () => {
    jest.useFakeTimers();
    try {
      const { bus, failing } = memoryBus();
      const heard: string[] = [];
      let roster = fixedRoster([]);
      const late: Roster = {
        get version() {
          return roster.find(key.id) ? 1 : 0;
        },
        find: (id) => roster.find(id),
        named: () => [],
        ofRole: () => [],
      };
      const { following, distrusted, errors } = await follow(bus, late, heard);
      await revoke(bus, 'r0');
      const stranger = generateSigningKey('console/c1');
      for (let n = 0; n < 1500; n++) await revoke(bus, `s${n}`, stranger);
      await revoke(bus, 'r1');
      expect({ heard, distrusted: distrusted.length }).toEqual({ heard: [], distrusted: 1502 });
      roster = fixedRoster([key]);
      failing.reads = 1;
      await jest.advanceTimersByTimeAsync(1000);
      expect({ heard, errors }).toMatchObject({ heard: [], errors: [{ message: 'not now' }] });
      await jest.advanceTimersByTimeAsync(1000);
      expect({ heard, distrusted: distrusted.length }).toEqual({ heard: ['r0', 'r1'], distrusted: 1502 });
      await following.close();
    } finally {
      jest.useRealTimers();
    }
  });

  it('P10: does not begin when the beginning of the stream is gone, and with it who was revoked', async () => {
    const { bus } = memoryBus(3n);
    await expect(follow(bus, fixedRoster([key]), [])).rejects.toMatchObject({ code: 'TRUST_LOG_CUT' });
  });
});
