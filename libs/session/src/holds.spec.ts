import type { ApprovalGiven } from '@sallyport/events';
import { type Hold, Holds, TooManyHolds } from './holds.js';

const ASKED = { hash: 'h', session: 's', requester: 'agent', needed: 1, windowMs: 1000 };
const setup = (holdTimeoutMs = 10_000): Holds => new Holds({ maxHolds: 3, maxHoldsPerPrincipal: 2, holdTimeoutMs }, Date.now);
const approval = (hold: Hold, subject = 'dana', change: Partial<ApprovalGiven> = {}): ApprovalGiven => ({
  hold: hold.id,
  hash: hold.hash,
  session: hold.session,
  by: { subject, issuer: 'test', groups: ['dba'] },
  rules: [],
  revision: 'r1',
  ...change,
});

describe('Holds', () => {
  it('S5: only what names this hold, this operation and this session counts', async () => {
    const holds = setup();
    const hold = holds.open(ASKED);
    const waiting = holds.wait(hold, new AbortController().signal);
    holds.granted(approval(hold, 'dana', { hold: 'other' }));
    holds.granted(approval(hold, 'dana', { hash: 'other' }));
    holds.granted(approval(hold, 'dana', { session: 'other' }));
    holds.refused(approval(hold, 'dana', { hash: 'other' }));
    expect(holds.size).toBe(1);
    holds.granted(approval(hold));
    const outcome = await waiting;
    expect(outcome).toMatchObject({ outcome: 'granted', by: [{ by: { subject: 'dana' } }] });
    expect(outcome.outcome === 'granted' && outcome.windowEndsMs).toBeGreaterThan(Date.now());
  });

  it('S5: is used once', async () => {
    const holds = setup();
    const hold = holds.open(ASKED);
    const waiting = holds.wait(hold, new AbortController().signal);
    holds.refused(approval(hold));
    holds.granted(approval(hold));
    expect(await waiting).toMatchObject({ outcome: 'denied' });
    expect(holds.size).toBe(0);
  });

  it('a person counts once, and a namesake of another issuer is another person', async () => {
    const holds = setup();
    const hold = holds.open({ ...ASKED, needed: 2 });
    const waiting = holds.wait(hold, new AbortController().signal);
    holds.granted(approval(hold));
    holds.granted(approval(hold, 'dana', { by: { subject: 'dana', issuer: 'test', groups: ['other'] } }));
    expect(holds.size).toBe(1);
    holds.granted(approval(hold, 'dana', { by: { subject: 'dana', issuer: 'elsewhere', groups: [] } }));
    const outcome = await waiting;
    expect(outcome.by).toHaveLength(2);
  });

  it('no answer in time is none, and what was given until then is told', async () => {
    const holds = setup(20);
    const hold = holds.open({ ...ASKED, needed: 2 });
    const waiting = holds.wait(hold, new AbortController().signal);
    holds.granted(approval(hold));
    expect(await waiting).toMatchObject({ outcome: 'expired', by: [{ by: { subject: 'dana' } }] });
    expect(holds.size).toBe(0);
  });

  it.each(['before', 'while'])('stops when it is cancelled %s it waits', async (when) => {
    const holds = setup();
    const cancel = new AbortController();
    if (when === 'before') cancel.abort();
    const waiting = holds.wait(holds.open(ASKED), cancel.signal);
    cancel.abort();
    expect(await waiting).toEqual({ outcome: 'cancelled', by: [] });
    expect(holds.size).toBe(0);
  });

  it('P9: one principal’s holds are bounded, and all together are', () => {
    const holds = setup();
    const signal = new AbortController();
    for (let i = 0; i < 2; i++) void holds.wait(holds.open(ASKED), signal.signal);
    expect(() => holds.open(ASKED)).toThrow(TooManyHolds);
    void holds.wait(holds.open({ ...ASKED, requester: 'other' }), signal.signal);
    expect(() => holds.open({ ...ASKED, requester: 'third' })).toThrow(TooManyHolds);
    signal.abort();
    expect(holds.open(ASKED).id).toEqual(expect.any(String));
  });
});
