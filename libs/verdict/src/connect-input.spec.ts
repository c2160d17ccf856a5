import { connectInput } from './index.js';

describe('the question of a connect', () => {
  it('is all that edge and vendor may ask with, and nothing of the token', () => {
    const principal = {
      subject: 'agent',
      issuer: 'corp',
      provider: 'corp',
      kind: 'workload' as const,
      groups: ['agents'],
      actors: [],
      run: 'r',
      expiresAtMs: 1,
      tokenId: 't',
    };
    const resource = { name: 'shop', kind: 'postgres', labels: { env: 'prod' } };
    expect(connectInput({ principal, session: 's', run: 'night', resource, nowMs: 1999 })).toEqual({
      principal: { subject: 'agent', issuer: 'corp', provider: 'corp', kind: 'workload', groups: ['agents'], actors: [] },
      session: { id: 's', run: 'night', operations: 0, rows: 0, bytes: 0, denials: 0 },
      resource,
      operation: { kind: 'connect', class: 'postgres.connect', classes: ['postgres.connect'] },
      time: '1970-01-01T00:00:01Z',
    });
  });
});
