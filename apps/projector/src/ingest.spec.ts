import { MessageChannel } from 'node:worker_threads';
import { connectBus, serveBus } from '@sallyport/adapter-embedded-bus';
import { TOPICS } from '@sallyport/bus';
import { controlEvent, split } from '@sallyport/events';
import { answerBytes, revocationBytes, sampleLog, sessionBytes } from '@sallyport/projections/testing';
import { ProjectorMetrics } from './metrics.js';
import { signRecord } from '@sallyport/trust';
import { enrolled } from '@sallyport/trust/testing';
import { caughtUp, keys, Rig, signed, signedAsSource, until, write, writeSample } from './testing.js';

const rig = new Rig();

describe('the read model', () => {
  it('P7: follows the log over a port, goes on after a restart, and is equal to one made anew', async () => {
    const owner = await rig.openBus();
    const { port1, port2 } = new MessageChannel();
    const served = serveBus(owner, port1);
    rig.ends.push(() => served.close());
    const bus = connectBus(port2);
    const metrics = new ProjectorMetrics();
    const first = await rig.start(bus, { metrics });
    const sample = sampleLog(6);
    await write(owner, TOPICS.sessions, sample.sessions.slice(0, 30));
    await write(owner, TOPICS.control, sample.control);
    await until(() => caughtUp(first));
    await first.close();
    await write(owner, TOPICS.sessions, sample.sessions.slice(30));
    await write(owner, TOPICS.leases, sample.leases);
    const second = await rig.start(bus, { metrics });
    await until(() => caughtUp(second));
    expect(await metrics.registry.getSingleMetricAsString('sallyport_projector_records_total')).toContain(
      `{topic="${TOPICS.sessions}"} ${sample.sessions.length}`,
    );
    const live = await rig.dump();
    await second.rebuild();
    expect(await rig.dump()).toEqual(live);
    expect((await (await rig.reader()).statistics()).sessions).toEqual({ open: 1, closed: 3, aborted: 2 });
    expect(await caughtUp(second)).toBe(true);
  });

  it('is ready again after a trouble with the bus when nothing is missing, although no record comes', async () => {
    const bus = await rig.openBus();
    const told = new Map<string, (error: unknown) => void>();
    const projector = await rig.start({
      produce: (...given) => bus.produce(...given),
      read: (...given) => bus.read(...given),
      ends: (...given) => bus.ends(...given),
      close: () => bus.close(),
      consume(options) {
        told.set(`${options.group} ${options.topic}`, (error) => options.onError?.(error));
        return bus.consume(options);
      },
    });
    await until(() => caughtUp(projector));
    told.get(`projector ${TOPICS.control}`)!(Object.assign(new Error('away'), { code: 'BUS_FAILED' }));
    expect(await projector.status()).toMatchObject({ notReady: [] });
  });

  it('P9: is not stopped by a part of a session, which an edge that has fallen may say it has ended', async () => {
    const bus = await rig.openBus();
    const projector = await rig.start(bus);
    const applied = (sessions: number) =>
      controlEvent(
        { id: `${sessions}`, source: '/edge/e1', subject: 'edge/e1' },
        'revocation.applied',
        { revocation: `${sessions}`, sessions },
        0,
      ).bytes;
    await write(bus, TOPICS.control, [0.5, 1e300, -1.5, 2].map(applied));
    await until(() => caughtUp(projector));
  });

  it('P7: is rebuilt while events go on coming', async () => {
    const bus = await rig.openBus();
    const projector = await rig.start(bus);
    await writeSample(bus, 4);
    const more = (async () => {
      for (let index = 0; index < 20; index += 1) await write(bus, TOPICS.sessions, sessionBytes({ id: `more-${index}`, run: 'r' }));
    })();
    await Promise.all([projector.rebuild(), projector.rebuild(), more]);
    await until(() => caughtUp(projector));
    const live = await rig.dump();
    await projector.rebuild();
    expect(await rig.dump()).toEqual(live);
    expect((await (await rig.reader()).run('r'))?.sessions).toBe(20);
  });

  it('gives a rebuild up when it is closed, and leaves the live model as it was', async () => {
    const bus = await rig.openBus();
    const projector = await rig.start(bus);
    await writeSample(bus);
    await until(() => caughtUp(projector));
    const live = await rig.dump();
    const rebuilding = projector.rebuild().catch((error: unknown) => error);
    await projector.close();
    expect(await rebuilding).toMatchObject({ code: 'PROJECTOR_CLOSED' });
    expect(await rig.dump()).toEqual(live);
  });

  it('puts the chunks of a large event together, and loses none over a restart in the middle of one', async () => {
    const bus = await rig.openBus();
    const bytes = sessionBytes({ id: 's-1', operations: 2 });
    const [opened, ...rest] = bytes;
    const chunks = split('s-1:0', opened!, 200).map(({ headers, value }) => ({ key: 's-1', headers, value }));
    const first = await rig.start(bus);
    await bus.produce(TOPICS.sessions, chunks.slice(0, 2));
    await write(bus, TOPICS.sessions, sessionBytes({ id: 's-2' }));
    await until(() => caughtUp(first));
    await first.close();
    const second = await rig.start(bus);
    await bus.produce(TOPICS.sessions, chunks.slice(2));
    await write(bus, TOPICS.sessions, rest, 300);
    await until(() => caughtUp(second));
    const total = bytes.length + sessionBytes({ id: 's-2' }).length;
    await until(() => signed(second, total));
    const store = await rig.reader();
    expect((await store.events('s-1')).map((event) => event.bytes)).toEqual(bytes);
    expect(await store.session('s-2')).toMatchObject({ state: 'closed', events: sessionBytes({ id: 's-2' }).length });
    const live = await rig.dump();
    await second.rebuild();
    expect(await rig.dump()).toEqual(live);
  });

  it('keeps going over an outage of the store, and the log is signed meanwhile', async () => {
    const bus = await rig.openBus();
    const database = `outage_${rig.count}`;
    await rig.postgres.query(`CREATE DATABASE ${database}`);
    const projector = await rig.start(bus, { storeUrl: rig.postgres.url(database) });
    await write(bus, TOPICS.sessions, sessionBytes({ id: 's-1' }));
    await until(() => caughtUp(projector));
    await rig.postgres.query(`ALTER DATABASE ${database} ALLOW_CONNECTIONS false`);
    await rig.postgres.query('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1', [database]);
    await write(bus, TOPICS.sessions, sessionBytes({ id: 's-2' }));
    await until(async () => (await projector.status()).notReady.some((reason) => reason.startsWith(TOPICS.sessions)));
    await until(() => signed(projector, 2 * sessionBytes({ id: 's-1' }).length));
    await rig.postgres.query(`ALTER DATABASE ${database} ALLOW_CONNECTIONS true`);
    await until(() => caughtUp(projector));
    const { rows } = await rig.postgres.query(`SELECT id, events::int FROM "${rig.schema}".sessions ORDER BY id`, [], database);
    const events = sessionBytes({ id: 's-1' }).length;
    expect(rows).toEqual([
      { id: 's-1', events },
      { id: 's-2', events },
    ]);
  });

  it('starts without a store and finds it later; a URL that can never do is refused', async () => {
    const bus = await rig.openBus();
    const database = `late_${rig.count}`;
    const projector = await rig.start(bus, { storeUrl: rig.postgres.url(database) });
    await write(bus, TOPICS.sessions, sessionBytes({ id: 's-1' }));
    await until(async () => (await projector.status()).notReady.length > 0);
    await rig.postgres.query(`CREATE DATABASE ${database}`);
    await until(() => caughtUp(projector));
    await expect(rig.start(bus, { storeUrl: 'http://x' })).rejects.toMatchObject({ code: 'STORE_OPTION' });
    expect(JSON.stringify(rig.messages)).not.toContain('postgres://');
  });

  it('P7: makes a read model that was dropped, or put back to an earlier state, again from the log', async () => {
    const bus = await rig.openBus();
    const projector = await rig.start(bus);
    await writeSample(bus);
    await until(() => caughtUp(projector));
    const live = await rig.dump();
    await rig.postgres.query(`DROP SCHEMA "${rig.schema}" CASCADE`);
    await write(bus, TOPICS.control, [answerBytes('s-0', 77, 'dana', 0)]);
    await write(bus, TOPICS.sessions, sessionBytes({ id: 'last' }));
    const there = async (): Promise<boolean> => {
      const { rows } = await rig.postgres.query('SELECT to_regclass($1) IS NOT NULL AS there', [`"${rig.schema}".offsets`]);
      if (rows[0]?.['there'] !== true) return false;
      return (await rig.postgres.query(`SELECT 1 FROM "${rig.schema}".sessions WHERE id = 'last'`)).rowCount === 1;
    };
    await until(there);
    await until(() => caughtUp(projector));
    await projector.rebuild();
    const again = await rig.dump();
    for (const row of live['sessions']!) expect(again['sessions']).toContainEqual(row);
    expect(again['leases']).toEqual(live['leases']);
  });

  it('does not go on with a store that is ahead of the log until it is rebuilt', async () => {
    const [bus, other] = [await rig.openBus(), await rig.openBus('other')];
    const first = await rig.start(bus);
    await writeSample(bus);
    await until(() => caughtUp(first));
    await first.close();
    await write(other, TOPICS.sessions, sessionBytes({ id: 's-1' }));
    const second = await rig.start(other);
    await until(async () => (await second.status()).notReady.includes(`${TOPICS.sessions}: PROJECTOR_LOG_SHORTER`));
    await second.rebuild();
    await until(() => caughtUp(second));
    expect((await (await rig.reader()).sessions()).rows.map(({ id }) => id)).toEqual(['s-1']);
  });
});

describe('a hostile producer on the control topic', () => {
  it('P7 P10: revokes nothing and confirms nothing in the read model, live or rebuilt; what it wrote is kept with the reason', async () => {
    const bus = await rig.openBus();
    const metrics = new ProjectorMetrics();
    const projector = await rig.start(bus, { metrics });
    const [announced, revoked, , confirmed] = revocationBytes('s-1', 'edge/e1', 0);
    const { keys: strangers } = enrolled('console/main', 'edge/e1');
    const forged = (value: Buffer, key = strangers['edge/e1']) => signRecord(key, TOPICS.control, { key: 'k', value });
    const genuine = signedAsSource(revoked!);
    await bus.produce(TOPICS.control, [
      // First, so that it would have the identity of the genuine one.
      { key: 'k', value: revoked! },
      forged(revoked!, strangers['console/main']),
      forged(announced!),
      // Enrolled, and not its business.
      forged(revoked!, keys['edge/e0']),
      forged(confirmed!, keys['edge/e0']),
      { ...genuine, value: Buffer.from(revoked!.toString().replace('s-1"', 's-2"')) },
      { ...genuine, key: 'other' },
      genuine,
      genuine,
      // Headers are not signed: they make no chunk of it.
      { ...genuine, headers: { ...genuine.headers, event: 'e', chunk: '0', chunks: '2' } },
    ]);
    await until(() => caughtUp(projector));
    const reader = await rig.reader();
    expect((await reader.revocations()).rows.map(({ id }) => id)).toEqual(['s-1-r-edge/e1']);
    expect(await reader.acknowledgements(['s-1-r-edge/e1'])).toEqual([]);
    expect(await reader.services()).toEqual([]);
    const { rows } = await rig.postgres.query(`SELECT problem FROM "${rig.schema}".events WHERE problem IS NOT NULL ORDER BY "offset"`);
    expect(rows.map(({ problem }) => problem as unknown)).toEqual([
      'DISTRUSTED_UNSIGNED',
      'DISTRUSTED_UNKNOWN_KEY',
      'DISTRUSTED_UNKNOWN_KEY',
      'DISTRUSTED_NOT_ITS_BUSINESS',
      'DISTRUSTED_NOT_ITS_BUSINESS',
      'DISTRUSTED_BAD_SIGNATURE',
      'DISTRUSTED_BAD_SIGNATURE',
    ]);
    const live = await rig.dump();
    await projector.rebuild();
    expect(await rig.dump()).toEqual(live);
    expect(await metrics.registry.getSingleMetricAsString('sallyport_distrusted_records_total')).toContain('reason="not-its-business"} 2');
    expect(rig.messages.filter(({ message }) => message.includes('passed over'))).toHaveLength(4);
    await write(bus, TOPICS.control, [announced!, confirmed!]);
    await until(() => caughtUp(projector));
    expect(await reader.acknowledgements(['s-1-r-edge/e1'])).toMatchObject([{ edge: 'edge/e1', sessions: 1 }]);
  });

  it('P10: shows approvers what the edge asked for, whatever was written before it or after', async () => {
    const bus = await rig.openBus();
    const projector = await rig.start(bus);
    const genuine = sessionBytes({ id: 's-1', end: 'open', waiting: true });
    const forged = (value: Buffer) => ({ key: 's-1', value: Buffer.from(value.toString().replaceAll('"text":"', '"text":"SELECT 1 -- ')) });
    await write(bus, TOPICS.sessions, genuine.slice(0, -1));
    const asked = genuine.at(-1)!;
    await bus.produce(TOPICS.sessions, [forged(asked)]);
    await until(() => caughtUp(projector));
    const reader = await rig.reader();
    expect(await reader.hold('s-1-h1')).toBeNull();
    await projector.rebuild();
    expect(await reader.hold('s-1-h1')).toBeNull();
  });
});
