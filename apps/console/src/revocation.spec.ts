import { TOPICS } from '@sallyport/bus';
import { controlEvent, parseEnvelope } from '@sallyport/events';
import { announce, writeControl } from '@sallyport/trust';
import type { RevocationView } from './revocation-view.js';
import { testConsole, type TestConsole } from './testing.js';

let test: TestConsole;

beforeAll(async () => {
  test = await testConsole();
  await test.write({ id: 's-1' }, { id: 's-2', end: 'open', waiting: true }, { id: 's-3', subject: 'agent-analyst' });
});
afterAll(() => test.stop());

const call: TestConsole['call'] = (...asked) => test.call(...asked);

describe('revocation', () => {
  async function control(): Promise<{ id: string; type: string; data: Record<string, unknown> }[]> {
    return (await test.bus.read(TOPICS.control, 0, 0n, 100)).map(({ value }) => parseEnvelope(value) as never);
  }

  it('P10: puts one event on the control stream, with who and why', async () => {
    const asked = await call('sessions/s-2/revoke', 'sam', { reason: 'odd queries' });
    expect(asked).toMatchObject({ status: 202, body: { session: 's-2', requested: true } });
    expect((await control()).at(-1)).toMatchObject({
      id: asked.body.revocation,
      source: '/console/test',
      type: 'session.revoked',
      data: { session: 's-2', by: 'sam', reason: 'odd queries' },
    });
    const answer = await call('principals/crew-stock/revoke', 'local', { reason: 'left', issuer: test.issuer.issuer });
    expect(answer).toMatchObject({ status: 202, body: { principal: 'crew-stock', requested: true, open: 1 } });
    expect((await control()).at(-1)).toMatchObject({
      type: 'principal.revoked',
      data: { subject: 'crew-stock', issuer: test.issuer.issuer, by: 'operator (local)', reason: 'left' },
    });
  });

  it('P10: is shown with who has confirmed it: every enrolled edge that has announced itself has to', async () => {
    const none = (await call('principals/agent-9/revoke', 'sam', { reason: 'left' })).body.revocation as string;
    expect(await revocation(none)).toMatchObject({ confirmed: true, edges: [] });
    for (const name of ['edge/a', 'edge/b'] as const)
      await announce(test.bus, test.keys[name], { installation: 'test', version: '0', nowMs: Date.now() });
    const { revocation: id } = (await call('principals/agent-9/revoke', 'sam', { reason: 'left' })).body as { revocation: string };
    await confirm('edge/a', id);
    const shown = await revocation(id, (view) => view.edges[0]?.state === 'confirmed' && view.edges.length === 2);
    expect(shown).toEqual({
      id,
      kind: 'principal',
      principal: 'agent-9',
      issuer: null,
      session: null,
      by: 'sam',
      reason: 'left',
      time: expect.stringMatching(/Z$/),
      confirmed: false,
      edges: [
        { edge: 'edge/a', state: 'confirmed', at: expect.stringMatching(/Z$/), sessions: 1 },
        { edge: 'edge/b', state: 'unconfirmed', at: null, sessions: null },
      ],
    });
    // Nobody confirms for another, or without a key.
    const [identity, data] = [
      { id: 'forged', source: '/edge/b', subject: 'edge/b' },
      { revocation: id, sessions: 99 },
    ];
    await test.bus.produce(TOPICS.control, [{ key: id, value: controlEvent(identity, 'revocation.applied', data, 0).bytes }]);
    await confirm('edge/b', id);
    expect(await revocation(id, (view) => view.confirmed)).toMatchObject({ edges: [{ sessions: 1 }, { sessions: 1 }] });
    const listed = await call('revocations?principal=agent-9', 'sam');
    expect(listed.body.items.map((one: RevocationView) => [one.id, one.confirmed])).toEqual([
      [id, true],
      [none, false],
    ]);
    expect((await call('revocations?principal=nobody', 'sam')).body.items).toEqual([]);
    expect((await call('revocations?kind=thing', 'sam')).status).toBe(400);
    expect((await call('revocations/nothing', 'sam')).status).toBe(404);
    expect((await call('revocations', 'agent-analyst')).status).toBe(403);
    expect((await call(`revocations/${id}`, 'agent-analyst')).status).toBe(403);
  });

  async function confirm(name: 'edge/a' | 'edge/b', id: string): Promise<void> {
    const identity = { id: `${name} ${id}`, subject: name, key: id, timeMs: Date.now() };
    await writeControl(test.bus, test.keys[name], identity, 'revocation.applied', { revocation: id, sessions: 1 });
  }

  /** As soon as the read model has it so. */
  async function revocation(id: string, fits: (view: RevocationView) => boolean = () => true): Promise<RevocationView> {
    for (let tries = 0; ; tries++) {
      const { status, body } = await call(`revocations/${id}`, 'sam');
      if (status === 200 && fits(body as RevocationView)) return body as RevocationView;
      if (tries > 500) throw new Error(JSON.stringify(body));
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  it('is for who policy lets, and a refusal leaves nothing on the stream', async () => {
    const before = await control();
    expect((await call('principals/dana/revoke', 'agent-analyst', {})).status).toBe(403);
    expect((await call('sessions/s-3/revoke', 'agent-analyst', {})).status).toBe(403);
    expect((await call('sessions/s-1/revoke', 'agent-analyst', {})).status).toBe(404);
    expect((await call('sessions/s-1/revoke', 'sam', { reason: 'x'.repeat(501) })).status).toBe(400);
    expect((await call('sessions/s-1/revoke', 'sam', { motive: 'x' })).status).toBe(400);
    expect(await control()).toEqual(before);
  });
});
