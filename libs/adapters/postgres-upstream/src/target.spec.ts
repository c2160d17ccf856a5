import { isVerified } from './target.js';

describe('isVerified', () => {
  it.each([
    [{ tls: 'disable' }, false],
    [{ tls: 'require', ca: 'PEM' }, false],
    [{ tls: 'verify-ca' }, false],
    [{ tls: 'verify-ca', ca: 'PEM' }, true],
    [{ tls: 'verify-full' }, true],
  ] as const)('P3: %j: %s', (settings, verified) => {
    expect(isVerified(settings)).toBe(verified);
  });
});
