import fc from 'fast-check';
import { CLOCK_SENDERS_MAX, ClockOffsets, REPLAY_SENDERS_MAX, REPLAY_WINDOW_SIZE, ReplayWindow } from './index.js';

describe('the replay window', () => {
  it('lets each message through once, in whatever order they come', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(REPLAY_WINDOW_SIZE - 1), { maxLength: 200 }), (ids) => {
        const window = new ReplayWindow();
        const seen = new Set<number>();
        for (const id of ids) {
          if (window.first('a', id) === seen.has(id)) return false;
          seen.add(id);
        }
        return true;
      }),
    );
  });

  it('never lets a message through twice, however far the numbers jump', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(REPLAY_WINDOW_SIZE * 5), { maxLength: 300 }), (ids) => {
        const window = new ReplayWindow();
        const passed = ids.filter((id) => window.first('a', id));
        return new Set(passed).size === passed.length;
      }),
    );
  });

  it('knows senders apart, and refuses what is too old and what is no number', () => {
    const window = new ReplayWindow();
    expect([window.first('a', 7), window.first('b', 7), window.first('a', 7)]).toEqual([true, true, false]);
    expect(window.first('a', 7 + REPLAY_WINDOW_SIZE)).toBe(true);
    expect(window.first('a', 8)).toBe(true);
    expect(window.first('a', 6)).toBe(false);
    for (const id of [-1, 0.5, Number.NaN, Infinity]) expect(window.first('c', id)).toBe(false);
  });

  it('P9: forgets who has been silent longest', () => {
    const window = new ReplayWindow();
    for (let n = 0; n <= REPLAY_SENDERS_MAX; n++) window.first(`${n}`, 0);
    expect(window.first(`${REPLAY_SENDERS_MAX}`, 0)).toBe(false);
    expect(window.first('0', 0)).toBe(true);
  });
});

describe('the age of a message', () => {
  it('doesn’t know the difference of the clocks', () => {
    for (const skewMs of [-300_000, 0, 300_000]) {
      const offsets = new ClockOffsets();
      expect(offsets.ageMs('a', 1000 + skewMs, 1002)).toBe(0);
      expect(offsets.ageMs('a', 2000 + skewMs, 2001)).toBe(0);
      expect(offsets.ageMs('a', 3000 + skewMs, 3501)).toBe(500);
    }
  });

  it('P9: forgets who has been silent longest', () => {
    const offsets = new ClockOffsets();
    for (let n = 0; n <= CLOCK_SENDERS_MAX; n++) offsets.ageMs(`${n}`, 0, 0);
    expect(offsets.ageMs('0', 0, 100)).toBe(0);
    expect(offsets.ageMs(`${CLOCK_SENDERS_MAX}`, 0, 100)).toBe(100);
  });
});
