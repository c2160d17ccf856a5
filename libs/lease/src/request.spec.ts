import { checkLeaseDrop, checkLeaseRequest } from './request.js';

const GOOD = {
  session: 's',
  resource: 'shop',
  subject: 'agent',
  profiles: ['reader'],
  notAfterMs: 1,
  publicKey: { kty: 'EC' },
  run: null,
  sealedToken: '{}',
};

describe('what comes over the bus', () => {
  it('is a request when it has the shape of one', () => {
    expect(checkLeaseRequest(GOOD)).toEqual(GOOD);
    expect(checkLeaseRequest({ ...GOOD, database: 'other', profiles: [] })).toMatchObject({ database: 'other' });
    expect(checkLeaseDrop({ id: 'a', resource: 'b', more: 1 })).toEqual({ id: 'a', resource: 'b' });
  });

  it.each([
    ['nothing', undefined],
    ['text', 'x'],
    ['no session', { ...GOOD, session: '' }],
    ['a long resource', { ...GOOD, resource: 'x'.repeat(257) }],
    ['a long subject', { ...GOOD, subject: 'x'.repeat(2049) }],
    ['an odd database', { ...GOOD, database: 5 }],
    ['profiles that are no list', { ...GOOD, profiles: 'reader' }],
    ['too many profiles', { ...GOOD, profiles: Array.from({ length: 33 }, () => 'p') }],
    ['an odd profile', { ...GOOD, profiles: [1] }],
    ['an end that is no number', { ...GOOD, notAfterMs: 'never' }],
    ['no end', { ...GOOD, notAfterMs: Infinity }],
    ['no key', { ...GOOD, publicKey: null }],
    ['no run, not even null', { ...GOOD, run: undefined }],
    ['a long run', { ...GOOD, run: 'x'.repeat(257) }],
    ['no token', { ...GOOD, sealedToken: undefined }],
    ['a sealed token that is too long', { ...GOOD, sealedToken: 'x'.repeat(256 * 1024 + 1) }],
  ])('P9: is refused with %s', (_what, value) => {
    expect(() => checkLeaseRequest(value)).toThrow(expect.objectContaining({ code: 'LEASE_REQUEST_INVALID' }));
  });

  it.each([null, {}, { id: 'a' }, { id: 1, resource: 'b' }])('P9: is no drop: %j', (value) => {
    expect(() => checkLeaseDrop(value)).toThrow(expect.objectContaining({ code: 'LEASE_REQUEST_INVALID' }));
  });
});
