import { type Principal, Revocations } from '@sallyport/identity';

import { type JudgeOptions, leaseJudge } from './judge.js';
import type { SealedLeaseRequest } from './lease.js';

const PRINCIPAL: Principal = {
  subject: 'agent',
  issuer: 'corp',
  provider: 'corp',
  kind: 'workload',
  groups: [],
  actors: [],
  expiresAtMs: 1_000_000,
};

const REQUEST: SealedLeaseRequest = {
  session: 's',
  resource: 'shop',
  subject: 'agent',
  database: 'shop',
  profiles: ['b', 'a'],
  notAfterMs: 2_000_000,
  publicKey: { kty: 'EC', crv: 'P-256', x: 'x', y: 'y' },
  run: null,
  sealedToken: 'sealed',
};

function judge(options: Partial<JudgeOptions> = {}) {
  return leaseJudge({
    open: async () => 'a-token',
    identity: { identify: async () => ({ ok: true, principal: PRINCIPAL }) },
    revocations: new Revocations(0),
    mayConnect: () => ({ allowed: true, profiles: ['a', 'b'] }),
    judgeTimeoutMs: 1000,
    clockSkewMs: 500,
    ...options,
  });
}

describe('the judge of a lease', () => {
  it('P4: orders what the verdict names, until the token ends or the session does, and the tolerance for clocks behind that', async () => {
    const { sealedToken: _, run: __, ...rest } = REQUEST;
    expect(await judge()(REQUEST)).toEqual({ ...rest, profiles: ['a', 'b'], notAfterMs: 1_000_500 });
    expect(await judge()({ ...REQUEST, notAfterMs: 7 })).toMatchObject({ notAfterMs: 507 });
  });

  it('opens the seal for the session and its key', async () => {
    const bindings: unknown[] = [];
    const open = async (_: string, binding: unknown) => {
      bindings.push(binding);
      return 'a-token';
    };
    await judge({ open })(REQUEST);
    expect(bindings).toEqual([{ purpose: 'lease', session: 's', key: 'x.y' }]);
  });

  it('P3: quotes nothing of what it was shown', async () => {
    const quoting = 'a-token is quoted';
    const refusals = await Promise.all(
      [
        judge({ open: () => Promise.reject(new Error(quoting)) }),
        judge({ identity: { identify: async () => ({ ok: false, code: 'TOKEN_CLAIM', detail: quoting }) } }),
      ].map((one) => one(REQUEST).catch((error: unknown) => error)),
    );
    for (const refusal of refusals) {
      expect(refusal).toMatchObject({ code: 'LEASE_TOKEN' });
      expect((refusal as Error).message + String((refusal as Error).cause)).not.toContain('a-token');
    }
  });

  it('P10: looks for a revocation last, because it may come meanwhile', async () => {
    const revocations = new Revocations(0);
    const mayConnect = () => {
      revocations.revoke('agent', undefined, 1);
      return { allowed: true, profiles: ['a', 'b'] };
    };
    await expect(judge({ revocations, mayConnect })(REQUEST)).rejects.toMatchObject({ code: 'LEASE_TOKEN' });
  });

  it('P9: waits so long for identity and policy, and no longer', async () => {
    const never = () => new Promise<never>(() => {});
    const limits = { judgeTimeoutMs: 20 };
    await expect(judge({ ...limits, open: never })(REQUEST)).rejects.toMatchObject({ code: 'LEASE_TOKEN' });
    await expect(judge({ ...limits, identity: { identify: never } })(REQUEST)).rejects.toMatchObject({ code: 'LEASE_TOKEN' });
    await expect(judge({ ...limits, mayConnect: never })(REQUEST)).rejects.toMatchObject({ code: 'LEASE_VERDICT' });
  });
});
