import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openEmbeddedBus } from '@sallyport/adapter-embedded-bus';
import { opaWasmEngine, readBundle } from '@sallyport/adapter-opa-wasm';
import { type Bus, TOPICS } from '@sallyport/bus';
import { type ControlEvent, generateSigningKey, parseEvent, SessionStream } from '@sallyport/events';
import type { Identified, Principal } from '@sallyport/identity';
import { heardEvent } from '@sallyport/trust';
import { enrolled } from '@sallyport/trust/testing';
import type { Engine } from '@sallyport/verdict';
import { pino } from 'pino';
import { answerHold, type AnswerServices, type HoldAnswer, type HoldAnswered } from './answer-hold.js';
import { EARLY_ANSWERS_MAX, OPEN_HOLDS_MAX, OpenHolds } from './open-holds.js';

const log = pino({ level: 'silent' });
const BUNDLE = resolve(fileURLToPath(import.meta.url), '../../../../policies/bundle');
const NOW = Date.now();
const LIMITS = { holdTimeoutMs: 900_000, revocationSkewMs: 0 };
const { keys, roster } = enrolled('decision/d1', 'console/c1');

const person = (subject: string, more: Partial<Principal> = {}): Principal => ({
  subject,
  issuer: 'https://idp',
  provider: 'corp',
  kind: 'person',
  groups: ['dba'],
  actors: [],
  expiresAtMs: NOW + 3_600_000,
  issuedAtMs: NOW - 1000,
  ...more,
});

/** The token is the subject: verification has its own tests. */
const people: Record<string, Principal> = {
  dana: person('dana'),
  omar: person('omar'),
  'crew-stock': person('crew-stock', { kind: 'workload' }),
  sam: person('sam', { groups: ['security'] }),
};
const identify = async (token: string): Promise<Identified> =>
  people[token] ? { ok: true, principal: people[token] } : { ok: false, code: 'TOKEN_SIGNATURE', detail: '' };

let directory: string;
let bus: Bus;
let engine: Engine;
let holds: OpenHolds;
let services: AnswerServices;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sallyport-decision-'));
  bus = await openEmbeddedBus({ dir: directory });
  const { wasm, manifest } = await readBundle(BUNDLE);
  engine = opaWasmEngine({ wasm, entrypoints: manifest.entrypoints, data: { grants: [], roles: {} } });
});
afterAll(async () => {
  await bus.close();
  await rm(directory, { recursive: true, force: true });
});
beforeEach(() => {
  holds = new OpenHolds(LIMITS, () => services.nowMs());
  services = { bus, key: keys['decision/d1'], identity: { identify }, engine, revision: 'r1', holds, nowMs: () => NOW };
});

/** A session whose first operation is held; returns the ways to go on with it. */
function heldSession(
  hold: string | readonly string[],
  needed = 1,
  { session = `s-${String(hold)}`, text = 'UPDATE stock SET quantity = 1', edge = 'a' } = {},
): { close(): void } {
  const stream = new SessionStream({ session, source: `/edge/${edge}`, subject: 'crew-stock' }, generateSigningKey(`edge/${edge}`));
  const { subject, issuer, provider, kind, groups, actors } = people['crew-stock']!;
  const requested = {
    operation: 1,
    hash: 'f'.repeat(64),
    resource: { name: 'shop', kind: 'postgres', labels: {} },
    text,
    class: 'postgres.write.update',
    requester: { subject, issuer, provider, kind, groups, actors },
    rules: [],
    revision: 'r1',
    groups: ['dba'],
    needed,
    windowMs: 60_000,
    expires: new Date(NOW + 60_000).toISOString(),
  };
  for (const id of [hold].flat()) holds.session(stream.event('approval.requested', { ...requested, hold: id }, NOW).bytes, log);
  return {
    close: () => holds.session(stream.close({ reason: 'client', operations: 1, rows: 0, bytes: 0, denials: 0 }, NOW).bytes, log),
  };
}

const answer = (hold: string, token: string, more: Partial<HoldAnswer> = {}): Promise<HoldAnswered> =>
  answerHold({ hold, session: `s-${hold}`, hash: 'f'.repeat(64), token, answer: 'grant', ...more }, services);
const controlEvents = async (): Promise<unknown[]> =>
  (await bus.read(TOPICS.control, 0, 0n, 1000)).map(({ value }) => parseEvent(value).event.type);

describe('answers to a hold', () => {
  it('P2: a person of the group may grant it; the control stream says so, bound to the operation', async () => {
    heldSession('h-1');
    expect(await answer('h-1', 'dana', { comment: 'fine' })).toEqual({ ok: true, hold: 'h-1', by: 'dana', given: 1, needed: 1 });
    const last = (await bus.read(TOPICS.control, 0, 0n, 1000)).at(-1)!;
    expect(parseEvent(last.value).event).toMatchObject({
      type: 'approval.given',
      data: { hold: 'h-1', hash: 'f'.repeat(64), session: 's-h-1', by: { subject: 'dana' }, comment: 'fine', revision: 'r1' },
    });
  });

  it.each([
    ['the requester itself', 'crew-stock', 'NOT_ALLOWED'],
    ['somebody of another group', 'sam', 'NOT_ALLOWED'],
    ['a token that is not one', 'nobody', 'TOKEN'],
  ])('P2: %s can not, and nothing is written', async (_, token, code) => {
    heldSession('h-2');
    const before = await controlEvents();
    expect(await answer('h-2', token)).toMatchObject({ ok: false, code });
    expect(await controlEvents()).toEqual(before);
  });

  it('P2: a person counts once', async () => {
    heldSession('h-3', 2);
    expect(await answer('h-3', 'dana')).toMatchObject({ ok: true, given: 1, needed: 2 });
    const given = (await bus.read(TOPICS.control, 0, 0n, 1000)).at(-1)!;
    // It comes again before it has come back, and after.
    expect(await answer('h-3', 'dana')).toMatchObject({ ok: false, code: 'GIVEN_ALREADY' });
    const heard = heardEvent(roster, given);
    if (!heard.ok) throw new Error(heard.reason);
    holds.control(heard.event as ControlEvent);
    holds.control(heard.event as ControlEvent);
    const written = await controlEvents();
    expect(await answer('h-3', 'dana')).toMatchObject({ ok: false, code: 'GIVEN_ALREADY' });
    expect(await controlEvents()).toEqual(written);
    expect(await answer('h-3', 'omar')).toMatchObject({ ok: true, given: 2 });
  });

  it('P10: who was revoked approves nothing with the token from before', async () => {
    heldSession('h-4');
    const data = { subject: 'dana', by: 'sam', reason: 'left' };
    holds.control({ type: 'principal.revoked', time: new Date(NOW).toISOString(), data } as ControlEvent);
    expect(await answer('h-4', 'dana')).toMatchObject({ ok: false, code: 'TOKEN' });
    expect(await answer('h-4', 'omar')).toMatchObject({ ok: true });
  });

  it('a hold is over with its session, when it was refused, and when its time is over', async () => {
    const session = heldSession('h-5');
    session.close();
    expect(await answer('h-5', 'dana')).toMatchObject({ ok: false, code: 'NO_SUCH_HOLD' });
    heldSession('h-6');
    services = { ...services, nowMs: () => NOW + 60_000 };
    expect(await answer('h-6', 'dana')).toMatchObject({ ok: false, code: 'NO_SUCH_HOLD' });
  });

  it('passes over what it can not read', () => {
    heldSession('h-7');
    holds.session(Buffer.from('{"type":"approval.requested", broken'), log);
    expect(holds.size).toBe(1);
  });

  it('P10: a second request for a hold that is known changes nothing, from its own session or another, nor one for a hold that is over', async () => {
    heldSession('h-8');
    heldSession('h-8', 1, { text: 'SELECT 1' });
    heldSession('h-8', 1, { session: 's-forged', text: 'SELECT 1' });
    expect(holds.get('h-8')).toMatchObject({ session: 's-h-8', text: 'UPDATE stock SET quantity = 1' });
    // Whoever saw the other one has answered nothing.
    expect(await answer('h-8', 'dana', { session: 's-forged' })).toMatchObject({ ok: false, code: 'NO_SUCH_HOLD' });
    expect(await answer('h-8', 'dana', { hash: 'e'.repeat(64) })).toMatchObject({ ok: false, code: 'NO_SUCH_HOLD' });
    heldSession('h-9').close();
    heldSession('h-9');
    expect(await answer('h-9', 'dana')).toMatchObject({ ok: false, code: 'NO_SUCH_HOLD' });
  });

  it('an answer that is heard before its hold counts all the same', async () => {
    const data = { hold: 'h-10', hash: 'f'.repeat(64), session: 's-h-10', by: { subject: 'dana', issuer: 'https://idp', groups: [] } };
    holds.control({ type: 'approval.given', id: '1', source: '/decision/d2', data } as unknown as ControlEvent);
    heldSession('h-10', 2);
    expect(await answer('h-10', 'dana')).toMatchObject({ ok: false, code: 'GIVEN_ALREADY' });
    holds.control({
      type: 'approval.refused',
      id: '2',
      source: '/decision/d2',
      data: { ...data, hold: 'h-11', session: 's-h-11' },
    } as never);
    heldSession('h-11');
    expect(await answer('h-11', 'omar')).toMatchObject({ ok: false, code: 'NO_SUCH_HOLD' });
  });

  it('P9: answers to holds that nobody knows have their limit', () => {
    const given = (hold: string) =>
      ({
        type: 'approval.refused',
        data: { hold, hash: 'f'.repeat(64), session: `s-${hold}`, by: { subject: 'dana', issuer: 'https://idp', groups: [] } },
      }) as unknown as ControlEvent;
    holds.control(given('first'));
    for (let n = 0; n < EARLY_ANSWERS_MAX; n++) holds.control(given(`n-${n}`));
    heldSession('first');
    heldSession('n-1');
    expect([holds.get('first')?.hold, holds.get('n-1')?.hold]).toEqual(['first', undefined]);
  });

  it('P9: an edge that asks for holds without end fills no memory and leaves room for others, and what is over makes room', () => {
    const ids = (prefix: string) => Array.from({ length: OPEN_HOLDS_MAX + 10 }, (_, n) => `${prefix}-${n}`);
    heldSession(ids('h'), 1, { session: 's-many' }).close();
    for (const edge of ['a', 'b', 'c', 'd', 'e']) {
      heldSession(ids(edge), 1, { session: `s-${edge}`, edge });
      expect(holds.get(`${edge}-0`) !== undefined).toBe(edge !== 'e');
    }
    expect(holds.size).toBe(OPEN_HOLDS_MAX);
    services = { ...services, nowMs: () => NOW + 60_000 };
    heldSession('late');
    expect(holds.size).toBe(1);
  });
});
