import { TOPICS } from '@sallyport/bus';
import type { Bus } from '@sallyport/bus';
import { generateSigningKey, split } from '@sallyport/events';
import { parseCheckpoint, signCheckpoint } from '@sallyport/ledger';
import { sessionBytes } from '@sallyport/projections/testing';
import { ProjectorMetrics } from './metrics.js';
import { caughtUp, LOG, readAll, Rig, signed, until, verified, write, writeSample } from './testing.js';

type Headers = Readonly<Record<string, string>>;

const rig = new Rig();

describe('checkpoints', () => {
  const notes = async (bus: Bus) => (await readAll(bus, TOPICS.checkpoints)).map(({ value }) => parseCheckpoint(value.toString()));

  it('P6: sign an empty log, every so many events, after a while, and at the end; the log verifies', async () => {
    const bus = await rig.openBus();
    const projector = await rig.start(bus, { checkpointEveryEvents: 10, checkpointEveryMs: 3_600_000 });
    await until(() => signed(projector, 0));
    const { sessions } = await writeSample(bus);
    await until(() => signed(projector, Math.floor(sessions.length / 10) * 10));
    await projector.close();
    const sizes = (await notes(bus)).map(({ size }) => size);
    expect(sizes).toEqual([...Array.from({ length: Math.floor(sessions.length / 10) + 1 }, (_, index) => index * 10), sessions.length]);
    const report = await verified(bus);
    expect(report).toMatchObject({ checkpoints: { count: sizes.length, covered: sessions.length }, uncovered: 0, events: sessions.length });
    expect(report.integrity).toMatchObject({ ok: true });
  });

  it('P6: go on after a restart without reading the log again', async () => {
    const bus = await rig.openBus();
    const first = await rig.start(bus);
    await write(bus, TOPICS.sessions, sessionBytes({ id: 's-1', operations: 5 }));
    await until(() => caughtUp(first));
    await first.close();
    const [before] = await bus.ends(TOPICS.sessions);
    const offsets: bigint[] = [];
    const watched: Bus = {
      produce: (...given) => bus.produce(...given),
      consume: (options) => {
        const { start, topic } = options;
        if (topic !== TOPICS.sessions || start.at !== 'stored') return bus.consume(options);
        const offsetOf = async (partition: number): Promise<bigint> => {
          offsets.push(await start.offsetOf(partition));
          return offsets.at(-1)!;
        };
        return bus.consume({ ...options, start: { at: 'stored', offsetOf } });
      },
      read: (...given) => bus.read(...given),
      ends: (topic) => bus.ends(topic),
      close: () => bus.close(),
    };
    const second = await rig.start(watched);
    await until(() => caughtUp(second));
    expect(offsets).toEqual([before!.next, before!.next]);
    await write(bus, TOPICS.sessions, sessionBytes({ id: 's-2' }));
    await second.close();
    expect(await verified(bus)).toMatchObject({ integrity: { ok: true }, uncovered: 0, notes: expect.anything() as unknown });
  });

  it.each([
    ['the tree', (headers: Headers) => ({ ...headers, frontier: headers['frontier']!.replace(/"[A-Za-z0-9]/, '"_') })],
    ['the place', (headers: Headers) => ({ ...headers, next: String(BigInt(headers['next']!) + 1n) })],
    ['the signature', ({ frontier, next, resume }: Headers) => ({ frontier: frontier!, next: next!, resume: resume! })],
  ])('P6: read the log anew when what was saved does not fit: %s; and pass over notes that are not theirs', async (_, change) => {
    const [bus, other] = [await rig.openBus(), await rig.openBus('other')];
    const first = await rig.start(bus);
    await write(bus, TOPICS.sessions, sessionBytes({ id: 's-1' }));
    await first.close();
    await write(other, TOPICS.sessions, sessionBytes({ id: 's-1' }));
    for (const { value, headers } of await readAll(bus, TOPICS.checkpoints)) {
      await other.produce(TOPICS.checkpoints, [{ key: LOG, value, headers: change(headers) }]);
    }
    const newest = (await readAll(bus, TOPICS.checkpoints)).at(-1)!;
    await other.produce(TOPICS.checkpoints, [
      { key: LOG, value: Buffer.from(newest.value.toString().replace('ledger/test', 'ledger/else')) },
    ]);
    const forged = signCheckpoint({ log: LOG, size: 999, root: Buffer.alloc(32) }, generateSigningKey('ledger/test'));
    await other.produce(TOPICS.checkpoints, [{ key: LOG, value: Buffer.from(forged) }]);
    await other.produce(TOPICS.checkpoints, [{ key: LOG, value: Buffer.from('nothing') }]);
    rig.schema = `${rig.schema}_b`;
    const second = await rig.start(other);
    await write(other, TOPICS.sessions, sessionBytes({ id: 's-2' }));
    await until(() => signed(second, 2 * sessionBytes({ id: 's-1' }).length));
    expect(rig.messages.map(({ message }) => message)).toContain('the log is read anew to sign on');
    expect((await second.status()).notReady).toEqual([]);
  });

  it.each([
    [
      'altered',
      (all: Buffer[]) => all.map((bytes, index) => (index === 2 ? Buffer.from(bytes.toString().replace('stock', 'stick')) : bytes)),
    ],
    ['cut', (all: Buffer[]) => all.slice(0, -1)],
    ['emptied', () => []],
  ])('P6: never sign a log that was %s after it was signed, and say so', async (_, change) => {
    const [bus, other] = [await rig.openBus(), await rig.openBus('other')];
    const first = await rig.start(bus);
    const all = sessionBytes({ id: 's-1', operations: 3 });
    await write(bus, TOPICS.sessions, all);
    await first.close();
    // The same checkpoints beside another log, and nothing that would let it be taken up in the middle.
    for (const { value } of await readAll(bus, TOPICS.checkpoints)) {
      await other.produce(TOPICS.checkpoints, [{ key: LOG, value }]);
    }
    await write(other, TOPICS.sessions, change(all));
    const checkpointsBefore = (await other.ends(TOPICS.checkpoints))[0]!.next;
    const metrics = new ProjectorMetrics();
    rig.schema = `${rig.schema}_b`;
    const second = await rig.start(other, { metrics });
    await until(async () => (await second.status()).checkpoints[0]?.state === 'diverged');
    await write(other, TOPICS.sessions, sessionBytes({ id: 's-3', operations: 3 }));
    await until(async () => (await second.status()).topics.every(({ lag }) => lag === 0n));
    expect((await second.status()).notReady).toEqual([`${LOG}: LEDGER_DIVERGED`]);
    await second.close();
    expect((await other.ends(TOPICS.checkpoints))[0]!.next).toBe(checkpointsBefore);
    expect(rig.messages.filter(({ level }) => level === 'error')).toMatchObject([{ fields: { log: LOG, code: 'LEDGER_DIVERGED' } }]);
    expect(await metrics.registry.getSingleMetricAsString('sallyport_checkpoint_diverged')).toContain('} 1');
  });

  it('P6: find a cut also when they could have gone on from where they were', async () => {
    const [bus, other] = [await rig.openBus(), await rig.openBus('other')];
    const first = await rig.start(bus);
    const all = sessionBytes({ id: 's-1', operations: 3 });
    await write(bus, TOPICS.sessions, all);
    await first.close();
    for (const { value, headers } of await readAll(bus, TOPICS.checkpoints)) {
      await other.produce(TOPICS.checkpoints, [{ key: LOG, value, headers }]);
    }
    await write(other, TOPICS.sessions, all.slice(0, -1));
    rig.schema = `${rig.schema}_b`;
    const second = await rig.start(other);
    await until(async () => (await second.status()).checkpoints[0]?.state === 'diverged');
  });

  it('P6: keep an event that can not be joined in its place', async () => {
    const bus = await rig.openBus();
    const [, chunk] = split('x', Buffer.alloc(100), 40);
    const projector = await rig.start(bus);
    await bus.produce(TOPICS.sessions, [{ key: 'x', value: chunk!.value, headers: chunk!.headers }]);
    await until(() => signed(projector, 1));
    await until(() => caughtUp(projector));
    expect(await (await rig.reader()).statistics()).toMatchObject({ unreadable: 1 });
  });

  it('are tried again when the bus does not take them', async () => {
    const bus = await rig.openBus();
    let refuse = true;
    const flaky: Bus = {
      produce: (topic, records) => (refuse ? Promise.reject(new Error('full')) : bus.produce(topic, records)),
      consume: (options) => bus.consume(options),
      read: (...given) => bus.read(...given),
      ends: (topic) => bus.ends(topic),
      close: () => bus.close(),
    };
    const projector = await rig.start(flaky);
    await write(bus, TOPICS.sessions, sessionBytes({ id: 's-1' }));
    await until(async () => (await projector.status()).notReady.length > 0);
    refuse = false;
    await until(() => signed(projector, sessionBytes({ id: 's-1' }).length));
    await until(() => caughtUp(projector));
    await projector.close();
    expect((await verified(bus)).integrity).toMatchObject({ ok: true });
  });
});
