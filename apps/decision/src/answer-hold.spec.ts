import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openEmbeddedBus } from '@sallyport/adapter-embedded-bus';
import { opaWasmEngine, readBundle } from '@sallyport/adapter-opa-wasm';
import { type Bus, TOPICS } from '@sallyport/bus';
import { controlEvent, generateSigningKey, parseEvent, SessionStream } from '@sallyport/events';
import type { Identified, Principal } from '@sallyport/identity';
import type { Engine } from '@sallyport/verdict';
import { pino } from 'pino';
import { answerHold, type AnswerServices, type HoldAnswer, type HoldAnswered } from './answer-hold.js';
import { OpenHolds } from './open-holds.js';

const log = pino({ level: 'silent' });
const BUNDLE = resolve(fileURLToPath(import.meta.url), '../../../../policies/bundle');
const NOW = Date.now();

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
  holds = new OpenHolds();
  services = { bus, identity: { identify }, engine, revision: 'r1', holds, nowMs: () => NOW };
});

/** A session whose first operation is held; returns the ways to go on with it. */
function heldSession(hold: string, needed = 1): { close(): void } {
  const stream = new SessionStream({ session: `s-${hold}`, source: '/edge/a', subject: 'crew-stock' }, generateSigningKey('edge/a'));
  const { subject, issuer, provider, kind, groups, actors } = people['crew-stock']!;
  const requested = {
    hold,
    operation: 1,
    hash: 'f'.repeat(64),
    resource: { name: 'shop', kind: 'postgres', labels: {} },
    text: 'UPDATE stock SET quantity = 1',
    class: 'postgres.write.update',
    requester: { subject, issuer, provider, kind, groups, actors },
    rules: [],
    revision: 'r1',
    groups: ['dba'],
    needed,
    windowMs: 60_000,
    expires: new Date(NOW + 60_000).toISOString(),
  };
  holds.apply(stream.event('approval.requested', requested, NOW).bytes, log);
  return {
    close: () => holds.apply(stream.close({ reason: 'client', operations: 1, rows: 0, bytes: 0, denials: 0 }, NOW).bytes, log),
  };
}

const answer = (hold: string, token: string, more: Partial<HoldAnswer> = {}): Promise<HoldAnswered> =>
  answerHold({ hold, token, answer: 'grant', ...more }, services);
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
    holds.apply(given.value, log);
    holds.apply(given.value, log);
    expect(await answer('h-3', 'dana')).toMatchObject({ ok: false, code: 'GIVEN_ALREADY' });
    expect(await answer('h-3', 'omar')).toMatchObject({ ok: true, given: 2 });
  });

  it('P10: who was revoked approves nothing with the token from before', async () => {
    heldSession('h-4');
    const revoked = controlEvent(
      { id: 'c-1', source: '/console', subject: 'dana' },
      'principal.revoked',
      { subject: 'dana', by: 'sam', reason: 'left' },
      NOW,
    );
    holds.apply(revoked.bytes, log);
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
    holds.apply(Buffer.from('{"type":"approval.given", broken'), log);
    expect(holds.size).toBe(1);
  });
});
