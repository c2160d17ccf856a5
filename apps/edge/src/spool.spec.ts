// Longer than most: one world (spool, bus, keys) that every case of recovery and refusal needs.
import { cpSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openEmbeddedBus, readEmbeddedTopic } from '@sallyport/adapter-embedded-bus';
import { type Bus, TOPICS } from '@sallyport/bus';
import { generateSigningKey, SessionStream } from '@sallyport/events';
import { type Disk, realDisk } from '@sallyport/journal';
import { type LogItem, verifyLog } from '@sallyport/ledger';
import { type Audit, RecordLate, Recorder, RecordUnavailable } from '@sallyport/session';
import { EdgeSpool, type SpoolOptions } from './spool.js';

const signingKey = generateSigningKey('edge/main');
const LIMITS = {
  spoolMaxBytes: 2 ** 26,
  spoolMaxAgeMs: 86_400_000,
  busMaxLagMs: 60_000,
  spoolReserveBytes: 64 * 1024,
  recordMaxBytes: 2 ** 20,
};

interface Event {
  readonly type: string;
  readonly sessionid: string;
  readonly sequence: number;
  readonly data: { readonly operation?: number; readonly unfinished?: readonly number[]; readonly reason?: string };
}

let root: string;
let spool: EdgeSpool | undefined;
let bus: Bus | undefined;
/** What the bus does instead, while it is set. */
let trouble: (() => Promise<void>) | undefined;
let produced: number;
/** Which disk call fails now. */
let broken: 'write' | undefined;
const lost: Error[] = [];

const disk: Disk = {
  ...realDisk,
  write: (fd, bytes, position) =>
    broken === 'write' ? Promise.reject(Object.assign(new Error('EIO'), { code: 'EIO' })) : realDisk.write(fd, bytes, position),
};

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'sallyport-spool-'));
  trouble = undefined;
  broken = undefined;
  produced = 0;
  lost.length = 0;
});

afterEach(async () => {
  broken = undefined;
  await stop();
  await rm(root, { recursive: true, force: true });
});

async function start(change: Partial<SpoolOptions> = {}, at = root): Promise<EdgeSpool> {
  const real = await openEmbeddedBus({ dir: join(at, 'bus'), preallocateBytes: 4096 });
  bus = {
    ...real,
    produce: async (topic, records) => {
      await trouble?.();
      const placed = await real.produce(topic, records);
      produced += records.length;
      return placed;
    },
    close: () => real.close(),
  };
  spool = await EdgeSpool.open({
    directory: join(at, 'spool'),
    signingKey,
    bus,
    log: { debug: nothing, info: nothing, warn: nothing, error: nothing },
    nowMs: Date.now,
    limits: LIMITS,
    recorded: nothing,
    lost: (error) => lost.push(error),
    segmentBytes: 64 * 1024,
    disk,
    ...change,
  });
  return spool;
}

async function stop(timeoutMs = 5000): Promise<void> {
  await spool?.close(timeoutMs);
  await bus?.close();
  spool = bus = undefined;
}

/**
 * What a kill would leave at this moment: everything that write(2) took, and no holder of the locks. Copied without letting anything
 * else run, as spool and bus have to be of the same moment.
 */
async function killed(): Promise<string> {
  for (;;) {
    const copy = await mkdtemp(join(root, 'killed-'));
    try {
      for (const name of ['spool', 'bus']) cpSync(join(root, name), join(copy, name), { recursive: true });
    } catch (error) {
      // A segment that was being forgotten.
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      continue;
    }
    for (const path of await readdir(copy, { recursive: true })) {
      if (/lock[.-][^/]*$/.test(path)) await rm(join(copy, path));
    }
    return copy;
  }
}

function session(id: string, to = spool!, audit: Partial<Audit> = {}): Recorder {
  const stream = new SessionStream({ session: id, source: '/edge/main', subject: 'agent' }, signingKey);
  const recorder = new Recorder(stream, to, { mode: 'strict', durability: 'disk', ...audit }, Date.now);
  recorder.write('session.opened', { session: id } as never);
  return recorder;
}

function submit(recorder: Recorder, operation: number, text = 'INSERT'): bigint {
  return recorder.write('operation.submitted', { operation, text, verdict: { decision: 'allow' } } as never);
}

function complete(recorder: Recorder, operation: number): bigint {
  return recorder.write('operation.completed', { operation, outcome: 'ok' } as never);
}

function close(recorder: Recorder): void {
  recorder.close({ reason: 'client', operations: 0, rows: 0, bytes: 0, denials: 0 });
}

async function onBus(at = root): Promise<Event[]> {
  const found: Event[] = [];
  for await (const one of readEmbeddedTopic(join(at, 'bus'), TOPICS.sessions)) {
    if (one.kind !== 'record') throw new Error('the log is damaged');
    found.push(JSON.parse(one.record.value.toString()) as Event);
  }
  return found;
}

/** Integrity and what is missing, without checkpoints: those are the projector's. */
async function problems(at = root): Promise<string[]> {
  async function* items(): AsyncGenerator<LogItem> {
    for await (const one of readEmbeddedTopic(join(at, 'bus'), TOPICS.sessions)) {
      if (one.kind === 'record') yield { kind: 'event', offset: one.record.offset, bytes: one.record.value };
    }
  }
  const report = await verifyLog({
    log: `${TOPICS.sessions}/0`,
    items: items(),
    checkpoints: [],
    keys: { trusted: [signingKey], origin: 'given' },
  });
  return [...report.integrity.problems, ...report.completeness.problems]
    .map(({ code }) => code)
    .filter((code) => code !== 'CHECKPOINT_MISSING');
}

const of = (events: readonly Event[], id: string): readonly Event[] => events.filter(({ sessionid }) => sessionid === id);
const nothing = (): void => undefined;
const away = (): Promise<void> => Promise.reject(new Error('the bus is away'));

async function until(what: () => boolean): Promise<void> {
  while (!what()) await new Promise((resolve) => setTimeout(resolve, 5));
}

describe('EdgeSpool after a kill', () => {
  it('P1: publishes what was durable and not yet on the bus, and closes what was open as aborted, naming what was unfinished', async () => {
    await start();
    trouble = away;
    const ended = session('ended');
    submit(ended, 1);
    complete(ended, 1);
    close(ended);
    const left = session('left');
    submit(left, 1);
    complete(left, 1);
    submit(left, 2);
    await left.durable(submit(left, 3));
    const copy = await killed();
    await stop(0);
    expect(await onBus(copy)).toEqual([]);

    trouble = undefined;
    await start({}, copy);
    await stop();
    const events = await onBus(copy);
    expect(of(events, 'ended').map(({ type }) => type)).toEqual([
      'session.opened',
      'operation.submitted',
      'operation.completed',
      'session.closed',
    ]);
    expect(of(events, 'left').at(-1)).toMatchObject({
      type: 'session.aborted',
      sequence: 5,
      data: { reason: 'killed', unfinished: [2, 3] },
    });
    expect(await problems(copy)).toEqual([]);
  });

  it('P1: a kill at any moment under load loses nothing that was durable, and leaves no session open', async () => {
    await start();
    const durable = new Map<string, number>();
    let running = true;
    const agents = Array.from({ length: 6 }, async (_, n) => {
      for (let k = 0; running; k++) {
        const id = `agent-${n}-${k}`;
        const recorder = session(id);
        for (let operation = 1; operation <= 5 && running; operation++) {
          await recorder.durable(submit(recorder, operation, 'x'.repeat(1 + ((operation * 977) % 5000))));
          durable.set(id, operation);
          complete(recorder, operation);
        }
        close(recorder);
      }
    });
    const copies: { at: string; durable: Map<string, number> }[] = [];
    for (let i = 0; i < 4; i++) {
      await until(() => produced > (i + 1) * 60);
      const before = new Map(durable);
      copies.push({ at: await killed(), durable: before });
    }
    running = false;
    await Promise.all(agents);
    await stop();
    expect(await problems()).toEqual([]);
    for (const { at, durable: before } of copies) {
      await start({}, at);
      await stop();
      const events = await onBus(at);
      for (const [id, operation] of before) {
        expect(of(events, id).some(({ type, data }) => type === 'operation.submitted' && data.operation === operation)).toBe(true);
        expect(of(events, id).at(-1)?.type).toMatch(/session\.(closed|aborted)/);
      }
      expect(await problems(at)).toEqual([]);
    }
  });

  it('P6: a session that outlives many segments is closed from the table at their heads, with its chain unbroken', async () => {
    await start();
    const old = session('old');
    submit(old, 1);
    const busy = session('busy');
    for (let operation = 1; operation <= 100; operation++) {
      await busy.durable(submit(busy, operation, 'x'.repeat(8000)));
      complete(busy, operation);
    }
    await until(() => produced >= 200);
    await new Promise((resolve) => setTimeout(resolve, 50));
    // The segments with its beginning are gone: only the head of a later one knows of it.
    const segments = (await readdir(join(root, 'spool'))).filter((name) => name.endsWith('.segment')).sort();
    expect(Number.parseInt(segments[0]!, 10)).toBeGreaterThan(2);
    const copy = await killed();
    await stop();
    await start({}, copy);
    await stop();
    const events = await onBus(copy);
    expect(of(events, 'old').at(-1)).toMatchObject({ type: 'session.aborted', sequence: 2, data: { unfinished: [1] } });
    expect(of(events, 'busy').at(-1)).toMatchObject({ type: 'session.aborted', data: { unfinished: [] } });
    expect(await problems(copy)).toEqual([]);
  });

  it('P6: a kill during recovery is recovered like any other: one closing event a session', async () => {
    await start();
    trouble = away;
    for (const id of ['a', 'b', 'c']) {
      const recorder = session(id);
      await recorder.durable(recorder.last);
    }
    const first = await killed();
    await stop(0);
    // Opened, closing events written, killed before any was published.
    await start({}, first);
    root = first;
    const second = await killed();
    await stop(0);
    trouble = undefined;
    await start({}, second);
    await stop();
    const events = await onBus(second);
    for (const id of ['a', 'b', 'c']) expect(of(events, id).map(({ type }) => type)).toEqual(['session.opened', 'session.aborted']);
    expect(await problems(second)).toEqual([]);
    root = join(first, '..');
  });

  it('P6: what was published and not yet forgotten comes again with equal bytes', async () => {
    await start();
    let held: (() => void) | undefined;
    trouble = () => new Promise((resolve) => (held = resolve));
    const one = session('one');
    await one.durable(submit(one, 1));
    await until(() => held !== undefined);
    // On the bus, and the spool was not told yet.
    const copy = await killed();
    const events = await readSpool(copy);
    const direct = await openEmbeddedBus({ dir: join(copy, 'bus') });
    await direct.produce(
      TOPICS.sessions,
      events.map((value) => ({ key: 'one', value })),
    );
    await direct.close();
    held!();
    trouble = undefined;
    await stop();
    await start({}, copy);
    await stop();
    expect((await onBus(copy)).map(({ sequence }) => sequence)).toEqual([0, 1, 0, 1, 2]);
    expect(await problems(copy)).toEqual([]);
  });
});

async function readSpool(at: string): Promise<Buffer[]> {
  const { inspectJournal } = await import('@sallyport/journal');
  const values: Buffer[] = [];
  for await (const found of inspectJournal(join(at, 'spool'))) if (found.kind === 'record') values.push(found.record.value);
  return values;
}

describe('EdgeSpool and the bus', () => {
  it('P1: while the bus is away records wait, and go in order when it is back', async () => {
    await start();
    trouble = away;
    const recorder = session('one');
    for (let operation = 1; operation <= 50; operation++) {
      await recorder.durable(submit(recorder, operation));
      complete(recorder, operation);
    }
    expect(await onBus()).toEqual([]);
    expect(spool!.bytes).toBeGreaterThan(0);
    trouble = undefined;
    close(recorder);
    await until(() => produced === 102);
    expect((await onBus()).map(({ sequence }) => sequence)).toEqual(Array.from({ length: 102 }, (_, n) => n));
    expect(await problems()).toEqual([]);
  });

  it('P1: an answer of the bus that was lost costs a second copy, not an order', async () => {
    await start();
    let fail = true;
    const real = bus!.produce.bind(bus);
    (bus as { produce: Bus['produce'] }).produce = async (topic, records) => {
      const placed = await real(topic, records);
      if (fail) throw new Error('the answer was lost');
      return placed;
    };
    const recorder = session('one');
    await recorder.durable(submit(recorder, 1));
    await until(() => produced >= 4);
    fail = false;
    complete(recorder, 1);
    close(recorder);
    await stop();
    expect(await problems()).toEqual([]);
  });

  it('P1: `replicated` is durable only when the bus has it', async () => {
    await start();
    let held: (() => void) | undefined;
    trouble = () => new Promise((resolve) => (held = resolve));
    const recorder = session('one');
    const offset = submit(recorder, 1);
    await spool!.durable(offset, 'disk');
    expect(spool!.isDurable(offset, 'replicated')).toBe(false);
    const waiting = spool!.durable(offset, 'replicated');
    await until(() => held !== undefined);
    trouble = undefined;
    held!();
    await waiting;
    expect(spool!.isDurable(offset, 'replicated')).toBe(true);
  });
});

describe('EdgeSpool and the disk', () => {
  it('P1: what need not survive more than the process goes on unsynced, and is on the bus soon all the same', async () => {
    await start();
    const stream = new SessionStream({ session: 'one', source: '/edge/main', subject: 'agent' }, signingKey);
    const recorder = new Recorder(stream, spool!, { mode: 'strict', durability: 'process' }, Date.now);
    recorder.write('session.opened', { session: 'one' } as never);
    // One of them may meet the sync that is made for the bus; never all.
    let unsynced = 0;
    for (let operation = 1; operation <= 100; operation++) {
      const offset = submit(recorder, operation);
      await recorder.durable(offset);
      expect(spool!.isDurable(offset, 'process')).toBe(true);
      if (!spool!.isDurable(offset, 'disk')) unsynced++;
      complete(recorder, operation);
    }
    expect(unsynced).toBeGreaterThan(0);
    await spool!.durable(recorder.last, 'replicated');
    expect(spool!.isDurable(recorder.last, 'disk')).toBe(true);
  });
});

describe('EdgeSpool while the bus is away', () => {
  const impatient = { limits: { ...LIMITS, busMaxLagMs: 100 } };
  const late = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 200));

  it('P1: refuses what is strict when the record is too far behind, lets the rest go on, and resumes by itself', async () => {
    await start(impatient);
    trouble = away;
    const strict = session('strict');
    const buffered = session('buffered', spool, { mode: 'buffered' });
    submit(strict, 1);
    await late();
    expect(spool!.behind).toMatch(/100 ms/);
    expect(() => submit(strict, 2)).toThrow(RecordUnavailable);
    // How it ended is told all the same.
    complete(strict, 1);
    submit(buffered, 1);
    complete(buffered, 1);
    trouble = undefined;
    await until(() => spool!.behind === undefined);
    submit(strict, 2);
    complete(strict, 2);
    for (const recorder of [strict, buffered]) close(recorder);
    await stop();
    expect(await problems()).toEqual([]);
    expect((await onBus()).filter(({ sessionid }) => sessionid === 'strict').map(({ type }) => type)).toEqual([
      'session.opened',
      'operation.submitted',
      'operation.completed',
      'operation.submitted',
      'operation.completed',
      'session.closed',
    ]);
  });

  it('P1: what must be replicated waits for the bus no longer than that', async () => {
    await start(impatient);
    trouble = away;
    const recorder = session('one', spool, { durability: 'replicated' });
    const at = submit(recorder, 1);
    await expect(recorder.durable(at)).rejects.toBeInstanceOf(RecordLate);
    trouble = undefined;
    await until(() => recorder.isDurable(at));
    await recorder.durable(at);
    complete(recorder, 1);
    close(recorder);
    await stop();
    expect(await problems()).toEqual([]);
  });
});

describe('EdgeSpool that is full', () => {
  const small = { limits: { ...LIMITS, spoolMaxBytes: 64 * 1024, spoolReserveBytes: 16 * 1024 } };

  it('P1: takes no new operation, leaves the chain as it was, lets what was begun end, and goes on when there is room', async () => {
    await start(small);
    trouble = away;
    const recorder = session('one');
    let operation = 0;
    const fill = (): void => {
      for (;;) submit(recorder, ++operation, 'x'.repeat(2000));
    };
    expect(fill).toThrow(RecordUnavailable);
    // The refused one has no number in the stream: how the others ended follows without a gap.
    for (let done = 1; done < operation; done++) complete(recorder, done);
    expect(() => submit(recorder, operation, 'x'.repeat(2000))).toThrow(RecordUnavailable);
    trouble = undefined;
    await until(() => spool!.bytes === 0);
    submit(recorder, operation);
    complete(recorder, operation);
    close(recorder);
    await stop();
    expect(await problems()).toEqual([]);
    expect((await onBus()).at(-1)).toMatchObject({ type: 'session.closed' });
  });

  it('P1: says so, so that no session is begun that could not be recorded', async () => {
    await start(small);
    expect(spool!.failure).toBeUndefined();
    trouble = away;
    const recorder = session('one');
    expect(() => {
      for (let operation = 1; ; operation++) submit(recorder, operation, 'x'.repeat(2000));
    }).toThrow(RecordUnavailable);
    expect(spool!.failure).toMatch(/full/);
    trouble = undefined;
    await until(() => spool!.bytes === 0);
    expect(spool!.failure).toBeUndefined();
  });

  it('P1: with even the reserve used up, a session waits for room to be closed', async () => {
    await start(small);
    trouble = away;
    const recorder = session('one');
    let operation = 0;
    expect(() => {
      for (;;) submit(recorder, ++operation, 'x'.repeat(500));
    }).toThrow(RecordUnavailable);
    expect(() => {
      for (let done = 1; done < operation; done++)
        recorder.write('operation.completed', { operation: done, outcome: 'ok', tag: 'x'.repeat(2000) } as never);
    }).toThrow(RecordUnavailable);
    trouble = undefined;
    await until(() => spool!.bytes === 0);
    close(recorder);
    await stop();
    expect((await problems()).filter((code) => code !== 'OPERATION_UNFINISHED')).toEqual([]);
  });
});

describe('EdgeSpool on a disk that fails', () => {
  it('P1: a record that is lost ends the edge, and the next start closes its session from what the disk has', async () => {
    await start();
    const recorder = session('one');
    await recorder.durable(submit(recorder, 1));
    await until(() => produced === 2);
    broken = 'write';
    // Nobody waits for how an operation ended: it must be noticed all the same.
    complete(recorder, 1);
    await until(() => lost.length > 0);
    broken = undefined;
    // The disk works again, and what would follow would have a gap before it.
    await until(() => spool!.failure !== undefined);
    await new Promise((resolve) => setTimeout(resolve, 700));
    expect(() => submit(recorder, 2)).toThrow(RecordUnavailable);
    expect(() => session('two')).toThrow(RecordUnavailable);
    const copy = await killed();
    await stop(0);
    await start({}, copy);
    await stop();
    expect((await onBus(copy)).at(-1)).toMatchObject({ type: 'session.aborted', sequence: 2, data: { unfinished: [1] } });
    expect(await problems(copy)).toEqual([]);
  });
});
