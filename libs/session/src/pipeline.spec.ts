import type { PolicyInput, Verdict } from '@sallyport/verdict';
import { clear, type Cleared } from './pipeline.js';
import type { Request } from './request.js';
import { RecordLate } from './spool.port.js';
import { allow, deny, hold, testSession, update } from './testing.js';

type Setup = ReturnType<typeof testSession>;

const run = ({ session }: Setup, change: Partial<Request<string>> = {}): Promise<Cleared<string>> =>
  clear<string>(session, {
    operation: update,
    statement: 'UPDATE stock SET qty = 7',
    effect: 'write',
    signal: new AbortController().signal,
    plan: () => ({ plan: 'plan' }),
    ...change,
  });
const types = ({ spool }: Setup): string[] => spool.events.map(({ type }) => type);
/** Answers the only hold once it is on record. */
const answer = async ({ spool, holds }: Setup, how: 'granted' | 'refused'): Promise<void> => {
  for (;;) {
    const asked = spool.events.find(({ type }) => type === 'approval.requested')?.data as { hold: string; hash: string } | undefined;
    if (asked) {
      return holds[how]({ ...asked, session: 's1', by: { subject: 'dana', issuer: 'test', groups: [] }, rules: [], revision: 'r1' });
    }
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
};
/** Undefined while the work still waits. */
const soon = <T>(work: Promise<T>): Promise<T | undefined> =>
  Promise.race([work, new Promise<undefined>((resolve) => setTimeout(() => resolve(undefined), 20))]);

describe('clear', () => {
  it('S2: what is allowed is on record before it may go on', async () => {
    const setup = testSession(() => allow);
    const cleared = await run(setup);
    expect(cleared).toMatchObject({ cleared: true, plan: 'plan', verdict: allow, running: { operation: 1, intent: 0n } });
    expect(setup.spool.events[0]).toMatchObject({
      type: 'operation.submitted',
      data: { operation: 1, text: 'UPDATE stock SET qty = 7', verdict: { decision: 'allow', revision: 'r1' } },
    });
  });

  it('S3: a write waits until its record is durable, a read does not', async () => {
    const setup = testSession(() => allow);
    setup.spool.durableUpTo = -1;
    expect(await run(setup, { effect: 'read' })).toMatchObject({ cleared: true });
    const writing = run(setup);
    expect(await soon(writing)).toBeUndefined();
    setup.spool.sync();
    expect(await writing).toMatchObject({ cleared: true });
  });

  it('S3: a cancelled write does not wait on, and does not run', async () => {
    const setup = testSession(() => allow);
    setup.spool.durableUpTo = -1;
    const cancel = new AbortController();
    const writing = run(setup, { signal: cancel.signal });
    cancel.abort();
    expect(await writing).toMatchObject({ cleared: false, refusal: { kind: 'cancelled' }, running: { operation: 1 } });
  });

  it('S3: a write whose record is lost does not run: the session is over', async () => {
    const setup = testSession(() => allow);
    setup.spool.durableUpTo = -1;
    const writing = run(setup);
    await soon(writing);
    setup.spool.lose(Object.assign(new Error('EIO'), { code: 'JOURNAL_WRITE_FAILED' }));
    await expect(writing).rejects.toMatchObject({ code: 'JOURNAL_WRITE_FAILED' });
  });

  it('P1: a write whose record comes too late is refused, on record, and the session goes on', async () => {
    const setup = testSession(() => allow);
    setup.spool.durableUpTo = -1;
    const writing = run(setup);
    await soon(writing);
    setup.spool.lose(new RecordLate('late'));
    expect(await writing).toMatchObject({ cleared: false, refusal: { kind: 'record' }, running: { operation: 1 } });
  });

  it('P2: a denial is a value, and on record', async () => {
    const setup = testSession(() => deny);
    const cleared = await run(setup, {
      plan: () => {
        throw new Error('not asked');
      },
    });
    expect(cleared).toMatchObject({ cleared: false, refusal: { kind: 'policy', message: 'no', hint: 'ask' }, running: { operation: 1 } });
    expect(types(setup)).toEqual(['operation.submitted']);
  });

  it.each<[string, () => Verdict | Promise<Verdict>]>([
    [
      'throws',
      () => {
        throw new Error('broken');
      },
    ],
    ['rejects', () => Promise.reject(new Error('broken'))],
    ['says nothing', () => new Promise(() => undefined)],
  ])('P2: policy that %s refuses', async (_, decide) => {
    const setup = testSession(decide);
    expect(await run(setup)).toMatchObject({ cleared: false, refusal: { kind: 'undecided' } });
  });

  it('P5: what can not be masked is refused, on record', async () => {
    const setup = testSession(() => allow);
    const cleared = await run(setup, { plan: async () => ({ refusal: { kind: 'mask', message: 'm', rules: [] } }) });
    expect(cleared).toMatchObject({ cleared: false, refusal: { kind: 'mask' }, running: { operation: 1 } });
  });

  it('P1: what can not be put on record is refused, and the next one has its number', async () => {
    const setup = testSession(() => allow);
    setup.spool.refuses = () => true;
    const refused = await run(setup);
    expect(refused).toMatchObject({ cleared: false, refusal: { kind: 'record' } });
    expect(refused.running).toBeUndefined();
    setup.spool.refuses = () => false;
    expect(await run(setup)).toMatchObject({ cleared: true, running: { operation: 1 } });
    expect(setup.spool.events.map(({ sequence }) => sequence)).toEqual([0]);
  });

  it('cuts a long text at a character’s border, and says so', async () => {
    const setup = testSession(() => allow);
    await run(setup, { statement: `${'x'.repeat(99)}é` });
    expect(setup.spool.events[0]!.data).toMatchObject({ text: 'x'.repeat(99), textTruncated: true });
  });

  describe('a hold', () => {
    it('S5: goes on when it is granted, with every step on record in order', async () => {
      const setup = testSession(() => hold);
      const held = run(setup, { parameters: ['7'] });
      await answer(setup, 'granted');
      expect(await held).toMatchObject({ cleared: true });
      expect(types(setup)).toEqual(['operation.submitted', 'approval.requested', 'approval.applied']);
      const [submitted, requested] = setup.spool.events;
      expect(requested!.data['hash']).toBe(submitted!.data['hash']);
    });

    it('S6: the session ends with the approval’s window', async () => {
      const setup = testSession(() => hold);
      const held = run(setup);
      await answer(setup, 'granted');
      await held;
      expect(setup.session.endsAtMs).toBeLessThanOrEqual(Date.now() + 60_000);
    });

    it.each<['refused', string]>([['refused', 'dana']])('is refused when it is %s', async (how, by) => {
      const setup = testSession(() => hold);
      const held = run(setup);
      await answer(setup, how);
      expect(await held).toMatchObject({ cleared: false, refusal: { kind: 'hold', message: expect.stringContaining(by) } });
    });

    it('is refused when nobody answers in time', async () => {
      const setup = testSession(() => hold, { holdTimeoutMs: 20 });
      expect(await run(setup)).toMatchObject({ cleared: false, refusal: { kind: 'hold' } });
      expect(setup.spool.events.at(-1)!.data).toMatchObject({ outcome: 'expired' });
    });

    it.each<[string, Verdict]>([
      ['another revision', { ...hold, revision: 'r2' }],
      ['a denial', { ...deny, revision: 'r2' }],
      ['a denial by the same', deny],
    ])('S4: %s by the time of the answer does not let it run', async (_, later) => {
      let now: Verdict = hold;
      const setup = testSession(() => now);
      const held = run(setup);
      now = later;
      await answer(setup, 'granted');
      expect(await held).toMatchObject({ cleared: false });
    });

    it('S4: a policy that is gone by then does not either', async () => {
      let asked = 0;
      const setup = testSession(() => {
        if (asked++ > 0) throw new Error('broken');
        return hold;
      });
      const held = run(setup);
      await answer(setup, 'granted');
      expect(await held).toMatchObject({ cleared: false, refusal: { kind: 'undecided' } });
    });

    it.each(['approval.requested', 'approval.applied'])(
      'S7: is refused when %s can not be put on record, and the session goes on',
      async (type) => {
        const setup = testSession(() => hold);
        setup.spool.refuses = (entry) => entry.type === type;
        const held = run(setup);
        if (type === 'approval.applied') await answer(setup, 'granted');
        expect(await held).toMatchObject({ cleared: false, refusal: { kind: 'record' }, running: { operation: 1 } });
        expect(setup.holds.size).toBe(0);
      },
    );

    it('P9: one too many is refused', async () => {
      const setup = testSession(() => hold);
      const cancel = new AbortController();
      const waiting = [1, 2].map(() => run(setup, { signal: cancel.signal }));
      expect(await run(setup)).toMatchObject({
        cleared: false,
        refusal: { message: expect.stringContaining('limits.maxHoldsPerPrincipal') },
      });
      cancel.abort();
      expect((await Promise.all(waiting)).map((one) => !one.cleared && one.refusal.kind)).toEqual(['cancelled', 'cancelled']);
    });

    it('whose policy names nobody who may approve is refused at once', async () => {
      const { approval: _, ...nobody } = hold;
      expect(await run(testSession(() => nobody))).toMatchObject({ cleared: false, refusal: { kind: 'hold' } });
    });

    it('S5: another parameter or statement is another operation', async () => {
      const hashes = new Set<unknown>();
      for (const change of [{}, { parameters: ['1'] }, { parameters: [null] }, { statement: 'UPDATE stock SET qty = 8' }]) {
        const setup = testSession(() => allow);
        await run(setup, change);
        hashes.add(setup.spool.events[0]!.data['hash']);
      }
      expect(hashes.size).toBe(4);
    });
  });

  it('policy sees what the session has done so far', async () => {
    const seen: PolicyInput[] = [];
    const setup = testSession((input) => {
      seen.push(input);
      return deny;
    });
    for (let i = 0; i < 2; i++) {
      const refused = await run(setup);
      setup.session.completed(refused.running!, { outcome: 'refused', tag: '', rows: 0, bytes: 0, digest: '', masked: {} });
    }
    expect(seen.map(({ session }) => [session.operations, session.denials])).toEqual([
      [0, 0],
      [1, 1],
    ]);
  });
});
