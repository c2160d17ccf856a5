import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { MessageHandler } from '@nestjs/microservices';
import { Server } from '@nestjs/microservices';
import { DistrustMetrics } from '@sallyport/adapter-metrics';
import { openEmbeddedBus } from '@sallyport/adapter-embedded-bus';
import { type Bus, type OutgoingRecord, TOPICS } from '@sallyport/bus';
import { controlEvent, type ControlEvents, generateSigningKey, SessionStream, type SigningKey } from '@sallyport/events';
import type { Principal } from '@sallyport/identity';
import { AnnouncedServices, heardEvent, sealTo, signRecord, vouch, writeControl } from '@sallyport/trust';
import { enrolled } from '@sallyport/trust/testing';
import { pino } from 'pino';
import { answerBinding, createDecision, type HoldAnswer, type HoldAnswered } from './index.js';

const { keys, roster } = enrolled('decision/d1', 'decision/d2', 'console/c1', 'edge/e1', 'edge/e2');
const HASH = 'f'.repeat(64);

let directory: string;
let bus: Bus;
const closing: (() => Promise<void>)[] = [];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sallyport-decision-'));
  bus = await openEmbeddedBus({ dir: directory });
});
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
  await bus.close();
  await rm(directory, { recursive: true, force: true });
});

/** Hands requests to the controllers by hand. */
class Direct extends Server {
  listen(callback: () => void): void {
    callback();
  }
  close(): void {}
  on(): void {}
  unwrap<T>(): T {
    throw new Error('there is nothing in it');
  }
  async ask<Answer>(pattern: string, data: unknown): Promise<Answer> {
    const handler = this.getHandlers().get(pattern) as MessageHandler;
    const answers: Answer[] = [];
    await (this.transformToObservable(await handler(data)) as { forEach(next: (answer: Answer) => void): Promise<void> }).forEach(
      (answer) => void answers.push(answer),
    );
    return answers[0]!;
  }
}

interface Service {
  answer(more?: Partial<HoldAnswer>): Promise<HoldAnswered>;
  close(): Promise<void>;
  readonly metrics: DistrustMetrics;
}

/** Anybody may approve; a token is its subject. */
async function start(name: 'decision/d1' | 'decision/d2' = 'decision/d1'): Promise<Service> {
  const transport = new Direct();
  const announced = new AnnouncedServices(roster);
  const metrics = new DistrustMetrics();
  const decision = await createDecision({
    bus,
    key: keys[name],
    roster,
    announced,
    installation: 'i',
    version: '0',
    transport,
    identity: {
      identify: async (subject) => ({
        ok: true,
        principal: {
          subject,
          issuer: 'idp',
          provider: 'p',
          kind: 'person',
          groups: [],
          actors: [],
          issuedAtMs: Date.now(),
        } as unknown as Principal,
      }),
    },
    engine: { evaluate: () => ({ allow: true, rules: [], reasons: [] }) },
    verdicts: { revision: 'r1', decide: () => Promise.reject(new Error('nobody asks')) },
    policy: { current: { policy: { revision: 'r1', bundle: 'b'.repeat(64) } }, onSwitch: () => undefined },
    limits: { holdTimeoutMs: 900_000, revocationSkewMs: 0 },
    metrics,
    log: pino({ level: 'silent' }),
  });
  closing.push(() => decision.close());
  while (!announced.ofRole('decision').some((one) => one.name === name)) await new Promise((resolve) => setTimeout(resolve, 5));
  return {
    metrics,
    async answer({ token = 'dana', ...more } = {}) {
      const answer = { hold: 'h', session: 's', hash: HASH, answer: 'grant' as const, ...more };
      const sealed = await sealTo(announced.sealKeys('decision'), token, answerBinding(answer));
      return transport.ask('approval.answer', { ...answer, token: sealed });
    },
    close: () => closing.splice(0).reduce((before, close) => before.then(close), Promise.resolve()),
  };
}

interface Ask {
  readonly needed?: number;
  readonly text?: string;
  readonly session?: string;
  /** Null: unsigned. */
  readonly key?: SigningKey | null;
  readonly edge?: 'edge/e1' | 'edge/e2';
}

async function ask({ needed = 2, text = 'UPDATE stock', session = 's', edge = 'edge/e1', key = keys[edge] }: Ask = {}): Promise<void> {
  const stream = new SessionStream({ session, source: `/${edge}`, subject: 'crew' }, keys[edge]);
  const { bytes } = stream.event(
    'approval.requested',
    {
      hold: 'h',
      operation: 1,
      hash: HASH,
      resource: { name: 'shop', kind: 'postgres', labels: {} },
      text,
      class: 'postgres.write.update',
      requester: { subject: 'crew', issuer: 'idp', provider: 'p', kind: 'workload', groups: [], actors: [] },
      rules: [],
      revision: 'r1',
      groups: ['dba'],
      needed,
      windowMs: 60_000,
      expires: new Date(Date.now() + 600_000).toISOString(),
    },
    Date.now(),
  );
  const record = { key: session, value: bytes, timestampMs: Date.now() };
  await bus.produce(TOPICS.sessions, [key ? vouch(key, record) : record]);
}

const control = async () => bus.read(TOPICS.control, 0, 0n, 1000);
const given = (subject: string): ControlEvents['approval.given'] => ({
  hold: 'h',
  hash: HASH,
  session: 's',
  by: { subject, issuer: 'idp', groups: [] },
  rules: [],
  revision: 'r1',
});

function forged(type: 'approval.given' | 'approval.refused', subject: string, key?: SigningKey): OutgoingRecord {
  const record = {
    key: 's',
    value: controlEvent({ id: subject, source: '/decision/d1', subject }, type, given(subject), Date.now()).bytes,
  };
  return key ? signRecord(key, TOPICS.control, record) : record;
}

describe('the decision service', () => {
  it('P10: signs what it says: that it is there, which policy it judges with, and approvals', async () => {
    await ask();
    const service = await start();
    expect(await service.answer()).toMatchObject({ ok: true, given: 1, needed: 2 });
    const heard = (await control()).map((record) => heardEvent(roster, record));
    expect(heard).toMatchObject([
      { ok: true, event: { type: 'service.announced', source: '/decision/d1', data: { service: 'decision/d1' } } },
      { ok: true, event: { type: 'policy.activated', data: { revision: 'r1', bundle: 'b'.repeat(64) } } },
      { ok: true, event: { type: 'approval.given', data: { by: { subject: 'dana' } } } },
    ]);
  });

  it('P10: a hostile producer approves nothing, refuses nothing and revokes nobody', async () => {
    await ask();
    await bus.produce(TOPICS.control, [
      forged('approval.given', 'dana'),
      forged('approval.refused', 'dana', generateSigningKey('decision/d1')),
      forged('approval.given', 'dana', keys['edge/e1']),
      forged('approval.given', 'dana', keys['decision/d2']),
    ]);
    const revoked = { subject: 'dana', by: 'mallory', reason: 'x' };
    await writeControl(
      bus,
      keys['edge/e1'],
      { id: 'r', subject: 'dana', key: 's', timeMs: Date.now() + 60_000 },
      'principal.revoked',
      revoked,
    );
    const service = await start();
    expect(await service.answer()).toMatchObject({ ok: true, given: 1 });
    expect(await service.metrics.registry.metrics()).toContain('reason="not-its-business"} 3');
    await writeControl(bus, keys['console/c1'], { id: 'r', subject: 'omar', key: 's', timeMs: Date.now() + 60_000 }, 'principal.revoked', {
      ...revoked,
      subject: 'omar',
    });
    while (((await service.answer({ token: 'omar', hold: 'other' })) as { code?: string }).code !== 'TOKEN');
  });

  it('P10: a request for a hold that is forged, or written a second time with another text, is not the one that is answered', async () => {
    // As if it were first, which only another partition that is read sooner could make it.
    await ask({ needed: 1, text: 'SELECT 1', key: null });
    await ask({ needed: 1, text: 'SELECT 1', key: generateSigningKey('edge/e1') });
    await ask({ needed: 1, text: 'SELECT 1', key: keys['decision/d2'] });
    await ask();
    await ask({ needed: 1, text: 'SELECT 1' });
    await ask({ needed: 1, text: 'SELECT 1', session: 'other' });
    const service = await start();
    expect(await service.answer()).toMatchObject({ ok: true, needed: 2 });
    expect(await service.metrics.registry.metrics()).toContain('{topic="sallyport.sessions.v1",reason="unsigned"} 1');
  });

  it.each([
    ['behind it', ['edge/e1', 'edge/e2']],
    ['from a partition that was read sooner', ['edge/e2', 'edge/e1']],
  ] as const)('P2: a hold that another edge asks for too, %s, is not answered: one of them lies about who may', async (_, edges) => {
    for (const edge of edges) await ask({ edge, needed: edge === 'edge/e1' ? 2 : 1 });
    const service = await start();
    expect(await service.answer()).toMatchObject({ ok: false, code: 'NO_SUCH_HOLD' });
  });

  it('P2: a grant that comes again, at once or over a restart, is not written again', async () => {
    await ask();
    const first = await start();
    const both = await Promise.all([first.answer(), first.answer()]);
    expect(both.filter(({ ok }) => ok)).toHaveLength(1);
    await first.close();
    const second = await start();
    expect(await second.answer()).toMatchObject({ ok: false, code: 'GIVEN_ALREADY' });
    await second.close();
    // Another service doesn't write it either: it has heard of it.
    const third = await start('decision/d2');
    expect(await third.answer()).toMatchObject({ ok: false, code: 'GIVEN_ALREADY' });
    const approvals = (await control()).filter(({ value }) => value.includes('"type":"approval.given"'));
    expect(approvals).toHaveLength(1);
    expect(await third.answer({ token: 'omar' })).toMatchObject({ ok: true, given: 2 });
  });
});
