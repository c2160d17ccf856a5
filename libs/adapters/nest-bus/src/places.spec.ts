import { serverLimits } from './bus-server-limits.js';
import { Places } from './places.js';

const limits = { maxRunningRequests: 4, maxRunningPerCaller: 3, maxWaitingPerCaller: 5, maxWaitingBytesPerCaller: 100 };

describe('places', () => {
  it('P9: maxRunningPerCaller: one that asks for much leaves room, and waits without keeping others from it', () => {
    const places = new Places(limits);
    const ran: string[] = [];
    for (let n = 0; n < 6; n++) places.take('a', 1, () => ran.push('a'));
    places.take('b', 1, () => ran.push('b'));
    expect(ran).toEqual(['a', 'a', 'a', 'b']);
    places.take('b', 1, () => ran.push('b'));
    for (const name of ['a', 'b', 'a']) places.release(name);
    // In turn.
    expect(ran).toEqual(['a', 'a', 'a', 'b', 'a', 'b', 'a']);
  });

  it('P9: maxWaitingPerCaller and maxWaitingBytesPerCaller', () => {
    const places = new Places(limits);
    const run = (): void => undefined;
    expect(Array.from({ length: 9 }, () => places.take('a', 1, run))).toEqual([...Array<boolean>(8).fill(true), false]);
    expect(places.take('b', 101, run)).toBe(false);
    expect(places.take('b', 100, run)).toBe(true);
  });

  it('runs thousands that end at once without running out of stack, and tells when it is empty', async () => {
    const places = new Places({ ...limits, maxWaitingPerCaller: 100_000, maxWaitingBytesPerCaller: 100_000 });
    let ended = 0;
    const end = (): void => {
      ended += 1;
      places.release('a');
    };
    for (let n = 0; n < 3; n++) places.take('a', 0, () => undefined);
    for (let n = 0; n < 50_000; n++) places.take('a', 0, end);
    const empty = places.empty();
    for (let n = 0; n < 3; n++) places.release('a');
    await empty;
    expect(ended).toBe(50_000);
    await places.empty();
  });

  it('P9: maxRunningRequests alone keeps a quarter for others', () => {
    expect(serverLimits({ maxRunningRequests: 8 })).toMatchObject({
      maxRunningRequests: 8,
      maxRunningPerCaller: 6,
      drainTimeoutMs: 10_000,
    });
    expect(serverLimits({ maxRunningPerCaller: 5 })).toMatchObject({ maxRunningRequests: 256, maxRunningPerCaller: 5 });
    expect(serverLimits({})).toMatchObject({ maxRunningRequests: 256, maxRunningPerCaller: 192 });
  });
});
