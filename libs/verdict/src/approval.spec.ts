import * as fc from 'fast-check';
import { evolveHold, holdAt, openHold, type Approver, type Hold, type HoldEvent, type HoldState } from './approval.js';

const person = (subject: string, issuer = 'https://idp'): Approver => ({ subject, issuer });
const hold: Hold = {
  id: 'h1',
  operation: 'hash-1',
  requester: person('crew'),
  groups: ['dba'],
  needed: 2,
  expiresAtMs: 1000,
  windowMs: 600,
};
const grant = (by: Approver, atMs: number): HoldEvent => ({ type: 'granted', by, atMs });
const deny = (by: Approver, atMs: number): HoldEvent => ({ type: 'denied', by, atMs });
const use = (atMs: number, operation = 'hash-1'): HoldEvent => ({ type: 'used', operation, atMs });
const after = (...events: HoldEvent[]): HoldState => events.reduce(evolveHold, openHold(hold));

describe('a hold', () => {
  it('waits until enough people agree', () => {
    expect(after()).toMatchObject({ status: 'waiting', given: [] });
    expect(after(grant(person('dana'), 10))).toMatchObject({ status: 'waiting', given: [person('dana')] });
    expect(after(grant(person('dana'), 10), grant(person('erik'), 20))).toMatchObject({
      status: 'granted',
      given: [person('dana'), person('erik')],
      endsAtMs: 620,
    });
  });

  it('counts a person once', () => {
    expect(after(grant(person('dana'), 10), grant(person('dana'), 20))).toMatchObject({ status: 'waiting', given: [person('dana')] });
  });

  it('takes the same name from two issuers for two people', () => {
    expect(after(grant(person('dana'), 10), grant(person('dana', 'https://other'), 20)).status).toBe('granted');
  });

  it('never counts the requester', () => {
    expect(after(grant(person('crew'), 10), grant(person('dana'), 20))).toMatchObject({ status: 'waiting', given: [person('dana')] });
    expect(after(deny(person('crew'), 10)).status).toBe('waiting');
  });

  it('is denied by one denial, for good', () => {
    expect(after(grant(person('dana'), 10), deny(person('erik'), 20), grant(person('finn'), 30))).toMatchObject({
      status: 'denied',
      deniedBy: person('erik'),
      given: [person('dana')],
    });
  });

  it('is not undone by a denial that comes after the approval', () => {
    expect(after(grant(person('dana'), 10), grant(person('erik'), 20), deny(person('finn'), 30)).status).toBe('granted');
  });

  it('expires without an answer in time, at the end itself', () => {
    expect(holdAt(after(), 999).status).toBe('waiting');
    expect(holdAt(after(), 1000).status).toBe('expired');
    expect(after(grant(person('dana'), 10), grant(person('erik'), 1000))).toMatchObject({ status: 'expired', given: [person('dana')] });
  });

  it('P10: ends with its window', () => {
    const granted = after(grant(person('dana'), 10), grant(person('erik'), 20));
    expect(holdAt(granted, 619).status).toBe('granted');
    expect(holdAt(granted, 620).status).toBe('expired');
    expect(evolveHold(granted, use(620)).status).toBe('expired');
  });

  it('outlives its waiting time once granted', () => {
    expect(holdAt(after(grant(person('dana'), 10), grant(person('erik'), 900)), 1400).status).toBe('granted');
  });

  it('is used once, for its own operation', () => {
    const granted = after(grant(person('dana'), 10), grant(person('erik'), 20));
    expect(evolveHold(granted, use(30, 'hash-2')).status).toBe('granted');
    const used = evolveHold(granted, use(30));
    expect(used.status).toBe('used');
    expect(evolveHold(used, use(40))).toBe(used);
    expect(after(use(5)).status).toBe('waiting');
  });

  it('needs somebody even when it asks for nobody', () => {
    expect(openHold({ ...hold, needed: 0 }).status).toBe('waiting');
    expect(evolveHold(openHold({ ...hold, needed: 0 }), grant(person('dana'), 10)).status).toBe('granted');
  });

  it('is granted only by as many different people as it asks for, whatever happens', () => {
    const by = fc.constantFrom('crew', 'dana', 'erik', 'finn').map((name) => person(name));
    const event = fc.oneof(
      fc.record({ type: fc.constantFrom('granted' as const, 'denied' as const), by, atMs: fc.integer({ min: 0, max: 1500 }) }),
      fc.record({
        type: fc.constant('used' as const),
        operation: fc.constantFrom('hash-1', 'hash-2'),
        atMs: fc.integer({ min: 0, max: 1500 }),
      }),
    );
    fc.assert(
      fc.property(fc.array(event, { maxLength: 10 }), (events) => {
        const sorted = events.toSorted((one, other) => one.atMs - other.atMs);
        const { status, given } = after(...sorted);
        const distinct = new Set(given.map(({ subject }) => subject));
        expect(distinct.size).toBe(given.length);
        expect(distinct.has('crew')).toBe(false);
        if (status === 'granted' || status === 'used') expect(given.length).toBe(2);
      }),
    );
  });
});
