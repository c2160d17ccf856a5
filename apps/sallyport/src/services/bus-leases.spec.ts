import { sessionKeyPair, tokenBinding } from '@sallyport/lease';
import { openSealed, sealKeyOf } from '@sallyport/trust';
import { enrolled } from '@sallyport/trust/testing';
import { busLeases } from './bus-leases.js';

const { keys } = enrolled('vendor/v1', 'vendor/v2');
const TOKEN = 'the-agents-own-token';

async function asked(sealKeys = [sealKeyOf(keys['vendor/v1']), sealKeyOf(keys['vendor/v2'])]) {
  const sent: { pattern: string; data: Record<string, unknown>; timeoutMs: number }[] = [];
  const leases = busLeases({
    request: async <T>(pattern: string, data: unknown, { timeoutMs }: { timeoutMs: number }) => {
      sent.push({ pattern, data: data as Record<string, unknown>, timeoutMs });
      return {} as T;
    },
    sealKeys: () => sealKeys,
    timeoutMs: 7,
  });
  const { publicKey } = await sessionKeyPair();
  const request = { session: 's', resource: 'shop', subject: 'agent', profiles: ['reader'], notAfterMs: 1, publicKey, run: null };
  return { sent, leases, publicKey, request };
}

describe('leases over the bus', () => {
  it('P3: carry the token sealed to each vendor, bound to the session and its key, and in the clear nowhere', async () => {
    const { sent, leases, publicKey, request } = await asked();
    await leases.obtain({ ...request, token: TOKEN });
    expect(sent).toMatchObject([{ pattern: 'lease.obtain', data: request, timeoutMs: 7 }]);
    expect(JSON.stringify(sent)).not.toContain(TOKEN);
    for (const key of Object.values(keys)) {
      const binding = tokenBinding({ session: 's', publicKey });
      expect(await openSealed(key, sent[0]!.data['sealedToken'], binding)).toBe(TOKEN);
      await expect(openSealed(key, sent[0]!.data['sealedToken'], { ...binding, session: 't' })).rejects.toMatchObject({
        code: 'TRUST_SEAL_REFUSED',
      });
    }
  });

  it('P3: are not asked for while no vendor is there to seal to', async () => {
    const { sent, leases, request } = await asked([]);
    await expect(leases.obtain({ ...request, token: TOKEN })).rejects.toMatchObject({ code: 'TRUST_NO_RECIPIENT' });
    expect(sent).toEqual([]);
  });

  it('are dropped by id', async () => {
    const { sent, leases } = await asked();
    await leases.drop('l', 'shop');
    expect(sent).toEqual([{ pattern: 'lease.drop', data: { id: 'l', resource: 'shop' }, timeoutMs: 7 }]);
  });
});
