import { TROUBLE_SHOWN_MS, Troubles } from './troubles.js';

describe('troubles', () => {
  it('are told until the partition gets on, or nobody has told them again for a while', () => {
    let nowMs = 0;
    const troubles = new Troubles(() => nowMs);
    expect(troubles.tell('A', 1)).toBe(true);
    expect(troubles.tell('A', 1)).toBe(false);
    expect(troubles.tell('A', 2)).toBe(true);
    troubles.tell('B');
    expect(troubles.codes).toEqual(['A', 'B']);
    troubles.over(1);
    expect(troubles.codes).toEqual(['A']);
    nowMs = TROUBLE_SHOWN_MS - 1;
    expect(troubles.codes).toEqual(['A']);
    nowMs = TROUBLE_SHOWN_MS;
    expect(troubles.codes).toEqual([]);
    expect(troubles.tell('A', 2)).toBe(true);
  });
});
