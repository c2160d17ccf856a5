import { openSealed, SEALED_LIMITS, sealKeyOf, sealTo } from './index.js';
import { enrolled } from './testing.js';

const { keys } = enrolled('vendor/v1', 'vendor/v2', 'edge/e1');
const recipients = [sealKeyOf(keys['vendor/v1']), sealKeyOf(keys['vendor/v2'])];
const BOUND = { purpose: 'lease', session: 's1' };
const REFUSED = { code: 'TRUST_SEAL_REFUSED', message: 'what was sealed does not open here' };

describe('a seal', () => {
  it('P3: opens for each of those it was made for, and for nobody else', async () => {
    const sealed = await sealTo(recipients, 'token', BOUND);
    expect(sealed).not.toContain('token');
    expect(await openSealed(keys['vendor/v1'], sealed, BOUND)).toBe('token');
    expect(await openSealed(keys['vendor/v2'], sealed, BOUND)).toBe('token');
    await expect(openSealed(keys['edge/e1'], sealed, BOUND)).rejects.toMatchObject(REFUSED);
  });

  it('P3: opens only for what it is bound to', async () => {
    const sealed = await sealTo(recipients, 'token', BOUND);
    expect(await openSealed(keys['vendor/v1'], sealed, { session: 's1', purpose: 'lease' })).toBe('token');
    for (const binding of [{ ...BOUND, session: 's2' }, { ...BOUND, purpose: 'approval' }, {}]) {
      await expect(openSealed(keys['vendor/v1'], sealed, binding)).rejects.toMatchObject(REFUSED);
    }
  });

  it('is refused when altered, too long, or nothing of the kind', async () => {
    const sealed = await sealTo(recipients, 'token', BOUND);
    const jwe = JSON.parse(sealed) as { ciphertext: string; protected: string };
    const altered = [
      { ...jwe, ciphertext: `${jwe.ciphertext.startsWith('A') ? 'B' : 'A'}${jwe.ciphertext.slice(1)}` },
      { ...jwe, protected: Buffer.from('{"enc":"A256GCM","typ":"x"}').toString('base64url') },
    ].map((one) => JSON.stringify(one));
    for (const bad of [...altered, '', '{}', 'null', 7, undefined, ' '.repeat(SEALED_LIMITS.maxSealedChars + 1)]) {
      await expect(openSealed(keys['vendor/v1'], bad, BOUND)).rejects.toMatchObject(REFUSED);
    }
  });

  it('P9: has limits, and needs somebody who can open it', async () => {
    await expect(sealTo([], 'token', BOUND)).rejects.toMatchObject({ code: 'TRUST_NO_RECIPIENT' });
    await expect(sealTo(recipients, 'x'.repeat(SEALED_LIMITS.maxPlainChars + 1), BOUND)).rejects.toMatchObject({
      code: 'TRUST_SEAL_REFUSED',
    });
    const many = Array.from({ length: SEALED_LIMITS.maxRecipients + 1 }, () => recipients[0]!);
    await expect(sealTo(many, 'token', BOUND)).rejects.toMatchObject({ code: 'TRUST_SEAL_REFUSED' });
  });
});
