import { CancelKeys } from './cancel-keys.js';

describe('CancelKeys', () => {
  it('P9: a key cancels its own session only, though two targets use the same process id', async () => {
    const keys = new CancelKeys();
    const cancelled: string[] = [];
    const first = keys.issue(0, 42, async () => void cancelled.push('first'));
    const second = keys.issue(2, 42, async () => void cancelled.push('second'));
    expect([first.secret.length, second.secret.length]).toEqual([4, 32]);
    const wrong = Buffer.from(first.secret);
    wrong[0]! ^= 1;
    for (const secret of [wrong, Buffer.alloc(0), first.secret.subarray(0, 3), Buffer.concat([first.secret, Buffer.alloc(1)])])
      await keys.cancel({ kind: 'cancelRequest', processId: 42, secret });
    await keys.cancel({ kind: 'cancelRequest', processId: 43, secret: first.secret });
    expect(cancelled).toEqual([]);
    await keys.cancel({ kind: 'cancelRequest', processId: 42, secret: Buffer.from(second.secret) });
    expect(cancelled).toEqual(['second']);
  });

  it('a key that was revoked cancels nothing', async () => {
    const keys = new CancelKeys();
    const cancelled: string[] = [];
    const key = keys.issue(0, 7, async () => void cancelled.push('it'));
    keys.revoke(key);
    keys.revoke(key);
    await keys.cancel({ kind: 'cancelRequest', processId: 7, secret: key.secret });
    expect(cancelled).toEqual([]);
  });
});
