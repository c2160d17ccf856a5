import { serial } from './serial.js';

describe('serial', () => {
  it('runs one at a time, in order, past failures, and refuses what is over the limit', async () => {
    const turns = serial(3);
    const seen: string[] = [];
    let open = () => {};
    const gate = new Promise<void>((resolve) => {
      open = resolve;
    });
    const step = (name: string, fails = false) =>
      turns.run(async () => {
        seen.push(`${name} starts`);
        await gate;
        seen.push(`${name} ends`);
        if (fails) throw new Error(name);
        return name;
      });
    const all = [step('a', true), step('b'), step('c')];
    await expect(step('d')).rejects.toMatchObject({ code: 'LEASE_LIMIT' });
    open();
    expect((await Promise.allSettled(all)).map((each) => each.status)).toEqual(['rejected', 'fulfilled', 'fulfilled']);
    expect(seen).toEqual(['a starts', 'a ends', 'b starts', 'b ends', 'c starts', 'c ends']);
    expect(await step('e')).toBe('e');
  });
});
