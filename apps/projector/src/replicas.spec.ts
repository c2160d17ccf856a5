import { MessageChannel } from 'node:worker_threads';
import { connectBus, serveBus } from '@sallyport/adapter-embedded-bus';
import { BusClient, BusServer } from '@sallyport/adapter-nest-bus';
import { TOPICS } from '@sallyport/bus';
import type { Bus, BusRecord, ConsumeOptions } from '@sallyport/bus';
import { generateSigningKey } from '@sallyport/events';
import { answerBytes, leaseBytes, sampleLog, sessionBytes } from '@sallyport/projections/testing';
import type { Projector, ProjectorOptions } from './create-projector.js';
import type { ProjectorStatusOnWire } from './projections.controller.js';
import { caughtUp, keys as serviceKeys, readAll, Rig, roster, until, verified, write, writeSpread } from './testing.js';

const PARTITIONS = 4;
const rig = new Rig();
const keys = ['a', 'b', 'c'].map((name) => generateSigningKey(`ledger/${name}`));

const replica = (bus: Bus, index: number, options: Partial<ProjectorOptions> = {}): Promise<Projector> =>
  rig.start(bus, { ledgerKey: keys[index]!, ledgerKeys: () => keys, ...options });

/** The bus as another process has it, and how that process is killed: nobody says goodbye. */
function remote(owner: Bus): { readonly bus: Bus; kill(): Promise<void> } {
  const { port1, port2 } = new MessageChannel();
  const served = serveBus(owner, port1);
  rig.ends.push(() => served.close());
  return { bus: connectBus(port2), kill: () => served.close() };
}

/** A bus whose consumers are told of what is given to them. */
function watched(bus: Bus, change: (options: ConsumeOptions) => ConsumeOptions): Bus {
  return {
    produce: (...given) => bus.produce(...given),
    consume: (options) => bus.consume(change(options)),
    read: (...given) => bus.read(...given),
    ends: (topic) => bus.ends(topic),
    close: () => bus.close(),
  };
}

/** All partitions, each signed up to its end; what verify says of them. The sample has operations that never end. */
async function allVerified(bus: Bus): Promise<unknown[]> {
  const reports = await Promise.all(Array.from({ length: PARTITIONS }, (_, partition) => verified(bus, partition, keys)));
  return reports.map(({ integrity, completeness, uncovered }) => ({
    integrity: integrity.problems,
    missing: completeness.problems.filter(({ code }) => code !== 'OPERATION_UNFINISHED'),
    uncovered,
  }));
}
const WHOLE = Array.from({ length: PARTITIONS }, () => ({ integrity: [], missing: [], uncovered: 0 }));

async function allSigned(bus: Bus, projector: Projector): Promise<boolean> {
  const { checkpoints } = await projector.status();
  const ends = await bus.ends(TOPICS.sessions);
  return ends.every(({ partition, next }) => BigInt(checkpoints[partition]?.signed ?? -1) === next);
}

describe('projectors', () => {
  it('P7: P6: any number of them share the partitions; one that joins or leaves disturbs nothing', async () => {
    const bus = await rig.openBus('bus', PARTITIONS);
    const sample = sampleLog(24);
    const parts = [0, 1, 2, 3].map((quarter) =>
      sample.sessions.filter((_, index) => Math.floor((index * 4) / sample.sessions.length) === quarter),
    );
    const busy = new Map<number, Set<number>>();
    const seenBy = (index: number): Bus =>
      watched(bus, (options) => ({
        ...options,
        onBatch: (batch, context) => {
          if (options.topic === TOPICS.sessions && options.group === 'projector')
            busy.set(index, (busy.get(index) ?? new Set()).add(batch[0]!.partition));
          return options.onBatch(batch, context);
        },
      }));
    const first = await replica(seenBy(0), 0);
    await writeSpread(bus, parts[0]!);
    await write(bus, TOPICS.control, sample.control);
    const second = await replica(seenBy(1), 1);
    await writeSpread(bus, parts[1]!);
    const third = await replica(seenBy(2), 2);
    await writeSpread(bus, parts[2]!);
    await until(() => caughtUp(third));
    await first.close();
    await write(bus, TOPICS.leases, sample.leases);
    await writeSpread(bus, parts[3]!);
    await until(() => caughtUp(second));
    await until(() => allSigned(bus, second));
    expect(new Set(busy.keys())).toEqual(new Set([0, 1, 2]));
    const live = await rig.dump();
    expect(live['events']!.length).toBe(sample.sessions.length + sample.control.length + sample.leases.length);
    await second.rebuild();
    expect(await rig.dump()).toEqual(live);
    await Promise.all([second.close(), third.close()]);
    expect(await allVerified(bus)).toEqual(WHOLE);
  });

  it('P7: P6: one that is killed comes back as a ghost and writes what it had in hand: nothing twice, nothing missing', async () => {
    const owner = await rig.openBus('bus', PARTITIONS);
    const dying = remote(owner);
    let hold = false;
    const held: (() => void)[] = [];
    const ghost = watched(dying.bus, (options) => ({
      ...options,
      onBatch: async (batch, context) => {
        if (hold && options.group !== undefined) await new Promise<void>((resolve) => held.push(resolve));
        await options.onBatch(batch, context);
      },
    }));
    await replica(ghost, 0);
    const heir = await replica(remote(owner).bus, 1);
    const sample = sampleLog(24);
    const half = sample.sessions.length / 2;
    await writeSpread(owner, sample.sessions.slice(0, half));
    await until(() => caughtUp(heir));
    hold = true;
    await writeSpread(owner, sample.sessions.slice(half));
    await until(async () => held.length >= 4);
    await dying.kill();
    await until(() => caughtUp(heir));
    for (const release of held) release();
    await writeSpread(owner, sessionBytes({ id: 'after' }));
    await until(() => caughtUp(heir));
    await until(() => allSigned(owner, heir));
    const live = await rig.dump();
    expect(live['events']!.length).toBe(sample.sessions.length + sessionBytes({ id: 'after' }).length);
    await heir.rebuild();
    expect(await rig.dump()).toEqual(live);
    await heir.close();
    expect(await allVerified(owner)).toEqual(WHOLE);
  });

  it('P7: a rebuild on one while both go on: the same result, seen by both', async () => {
    const bus = await rig.openBus('bus', PARTITIONS);
    const [one, other] = [await replica(bus, 0), await replica(bus, 1)];
    await writeSpread(bus, sampleLog(12).sessions);
    const more = (async () => {
      for (let index = 0; index < 30; index += 1) await writeSpread(bus, sessionBytes({ id: `more-${index}`, run: 'r' }));
    })();
    const begun = await one.beginRebuild('r-1');
    expect(begun).toMatchObject({ id: 'r-1', state: 'running' });
    expect(await other.beginRebuild('r-2')).toMatchObject({ id: 'r-1' });
    expect((await other.status()).rebuild).toMatchObject({ id: 'r-1' });
    await Promise.all([more, other.rebuild()]);
    await until(async () => (await other.status()).rebuild?.state === 'done');
    // The same request again, to whomever it comes, is the same rebuild.
    expect(await other.beginRebuild('r-1')).toMatchObject({ id: 'r-1', state: 'done' });
    await until(() => caughtUp(one));
    const live = await rig.dump();
    expect((await (await rig.reader()).run('r'))?.sessions).toBe(30);
    await other.rebuild();
    expect(await rig.dump()).toEqual(live);
    expect((await one.status()).rebuild).toMatchObject({ state: 'done', failure: null });
  });

  it('P7: a read model that is dropped is made again by all of them, also of partitions that are quiet', async () => {
    const bus = await rig.openBus('bus', PARTITIONS);
    const [one, other] = [await replica(bus, 0, { storeCheckMs: 20 }), await replica(bus, 1, { storeCheckMs: 20 })];
    const sample = sampleLog(12);
    await writeSpread(bus, sample.sessions);
    await write(bus, TOPICS.control, sample.control);
    await write(bus, TOPICS.leases, sample.leases);
    await until(() => caughtUp(one));
    const live = await rig.dump();
    await rig.postgres.query(`DROP SCHEMA "${rig.schema}" CASCADE`);
    const again = async (): Promise<boolean> =>
      rig.dump().then(
        (tables) => JSON.stringify(tables) === JSON.stringify(live),
        () => false,
      );
    await until(again);
    await until(() => caughtUp(other));
  });

  it('P7: tell of all partitions, whoever holds them', async () => {
    const bus = await rig.openBus('bus', PARTITIONS);
    let stuck = true;
    const slow = watched(bus, (options) => ({
      ...options,
      onBatch: async (batch: readonly BusRecord[], context) => {
        if (stuck && options.group === 'projector') throw Object.assign(new Error('not now'), { code: 'NOT_NOW' });
        await options.onBatch(batch, context);
      },
    }));
    const [one, other] = [await replica(bus, 0), await replica(slow, 1)];
    await writeSpread(bus, sampleLog(24).sessions);
    const ends = await bus.ends(TOPICS.sessions);
    const behind = async (projector: Projector): Promise<number[]> => {
      const { topics } = await projector.status();
      expect(topics.filter(({ topic }) => topic === TOPICS.sessions).map(({ end }) => end)).toEqual(ends.map(({ next }) => next));
      return topics.filter(({ lag }) => lag > 0n).map(({ partition }) => partition);
    };
    await until(async () => (await behind(one)).length === PARTITIONS / 2);
    expect(await behind(other)).toEqual(await behind(one));
    expect((await one.status()).notReady).toEqual([]);
    expect((await other.status()).notReady).toContain(`${TOPICS.sessions}: NOT_NOW`);
    await until(() => allSigned(bus, one));
    await until(() => allSigned(bus, other));
    const states = await Promise.all([one, other].map(async (each) => (await each.status()).checkpoints.map(({ state }) => state).sort()));
    expect(states[1]).toEqual(['elsewhere', 'elsewhere', 'signing', 'signing']);
    stuck = false;
    await until(() => caughtUp(other));
  });

  it('P6: go on from what another has signed and read nothing again; a key that is not enrolled has no say', async () => {
    const bus = await rig.openBus('bus', PARTITIONS);
    const first = await replica(bus, 0);
    await writeSpread(bus, sampleLog(12).sessions);
    await until(() => allSigned(bus, first));
    await first.close();
    const ends = await bus.ends(TOPICS.sessions);
    const starts: string[] = [];
    const note = watched(bus, (options) => {
      const { start, group } = options;
      if (start.at !== 'stored' || group !== 'projector-ledger') return options;
      return {
        ...options,
        start: {
          at: 'stored',
          offsetOf: async (partition) => {
            const offset = await start.offsetOf(partition);
            starts.push(`${partition}/${offset}`);
            return offset;
          },
        },
      };
    });
    const second = await replica(note, 1);
    await writeSpread(bus, sessionBytes({ id: 'more' }));
    await until(() => allSigned(bus, second));
    await second.close();
    expect(starts.sort()).toEqual(ends.map(({ partition, next }) => `${partition}/${next}`));
    expect(await allVerified(bus)).toEqual(WHOLE);
    starts.length = 0;
    const stranger = await replica(note, 2, { ledgerKeys: () => [] });
    await until(async () => starts.length === PARTITIONS);
    await stranger.close();
    expect(starts.sort()).toEqual(ends.map(({ partition }) => `${partition}/0`));
  });

  it('P6: never sign a log that was cut below what another has signed', async () => {
    const [bus, other] = [await rig.openBus('bus', 1), await rig.openBus('other', 1)];
    const first = await replica(bus, 0);
    const all = sessionBytes({ id: 's-1', operations: 3 });
    await writeSpread(bus, all);
    await first.close();
    for (const { key, value, headers } of await readAll(bus, TOPICS.checkpoints)) {
      await other.produce(TOPICS.checkpoints, [{ key, value, headers }]);
    }
    await writeSpread(other, all.slice(0, -1));
    rig.schema = `${rig.schema}_b`;
    const second = await replica(other, 1);
    await until(async () => (await second.status()).checkpoints[0]?.state === 'diverged');
    expect((await second.status()).notReady).toEqual([`${TOPICS.sessions}/0: LEDGER_DIVERGED`]);
  });

  const CALLERS = { 'projections.status': ['console'], 'projections.rebuild': ['console'] } as const;

  it('P7: are asked over the bus: status, and one rebuild for a request that comes twice', async () => {
    const bus = await rig.openBus('bus', PARTITIONS);
    const transport = (): BusServer =>
      new BusServer({ bus, service: 'projector', key: serviceKeys['projector/p1'], roster, callers: CALLERS });
    const one = await replica(bus, 0, { transport: transport() });
    await replica(bus, 1, { transport: transport() });
    const client = new BusClient({ bus, service: 'projector', key: serviceKeys['console/main'], roster });
    await client.connect();
    rig.ends.push(() => client.close());
    await writeSpread(bus, sampleLog(12).sessions);
    await write(bus, TOPICS.control, [answerBytes('s-0', 1, 'dana', 0)]);
    await write(bus, TOPICS.leases, leaseBytes('s-0', ['lease.dropped']));
    await until(() => caughtUp(one));
    const status = await client.request<ProjectorStatusOnWire>('projections.status', {});
    expect(status).toMatchObject({ rebuilding: false, rebuild: null, notReady: [] });
    expect(status.topics.filter(({ topic }) => topic === TOPICS.sessions).map(({ next, lag }) => ({ next, lag }))).toEqual(
      (await bus.ends(TOPICS.sessions)).map(({ next }) => ({ next: String(next), lag: '0' })),
    );
    const answers = await Promise.all([1, 2, 3, 4].map(() => client.request('projections.rebuild', { id: 'r-1' })));
    for (const answer of answers) expect(answer).toMatchObject({ id: 'r-1' });
    const ended = async (): Promise<ProjectorStatusOnWire> => client.request<ProjectorStatusOnWire>('projections.status', {});
    await until(async () => (await ended()).rebuild?.state === 'done');
    const { rows } = await rig.postgres.query(`SELECT count(*)::int AS count FROM "${rig.schema}".rebuilds`);
    expect(rows).toEqual([{ count: 1 }]);
    for (const request of [{}, { id: '' }, { id: 7 }, null, { id: 'x'.repeat(129) }]) {
      await expect(client.request('projections.rebuild', request)).rejects.toMatchObject({ code: 'PROJECTOR_REQUEST' });
    }
  });
});
