import { lanes } from './lanes.js';

/** Work that ends when it is told to. */
function held(): { readonly work: () => Promise<void>; readonly end: () => void; readonly begun: () => boolean } {
  let begun = false;
  let end = (): void => undefined;
  const ended = new Promise<void>((resolve) => (end = resolve));
  return {
    work: () => {
      begun = true;
      return ended;
    },
    end,
    begun: () => begun,
  };
}

const pause = (ms = 5) => new Promise((resolve) => setTimeout(resolve, ms));
const HOURS = 3_600_000;

describe('lanes', () => {
  it('P9: do so many pieces of work for one target at a time, in order, and others beside', async () => {
    const { run } = lanes({ maxPerTarget: 2, patienceMs: HOURS });
    const pieces = [held(), held(), held()];
    const done = pieces.map(({ work }) => run('a', work));
    const elsewhere = held();
    const doneElsewhere = run('b', elsewhere.work);
    await pause();
    expect([...pieces, elsewhere].map(({ begun }) => begun())).toEqual([true, true, false, true]);
    pieces[1]!.end();
    await done[1];
    await pause();
    expect(pieces[2]!.begun()).toBe(true);
    for (const piece of [...pieces, elsewhere]) piece.end();
    await Promise.all([...done, doneElsewhere]);
  });

  it('P9: leave to the sweep what would wait behind too many', async () => {
    const { run } = lanes({ maxPerTarget: 1, maxWaitingPerTarget: 1, patienceMs: HOURS });
    const [first, second, third] = [held(), held(), held()];
    const done = [run('a', first.work), run('a', second.work)];
    await run('a', third.work);
    first.end();
    second.end();
    await Promise.all(done);
    expect([second.begun(), third.begun()]).toEqual([true, false]);
  });

  it('P9: wait for a target until it is overdue, then no more, until it answers again', async () => {
    const { run } = lanes({ maxPerTarget: 1, patienceMs: 30 });
    const [hanging, behind, later] = [held(), held(), held()];
    await Promise.all([run('a', hanging.work), run('a', behind.work)]);
    expect([hanging.begun(), behind.begun()]).toEqual([true, false]);
    await run('a', later.work);
    behind.end();
    later.end();
    hanging.end();
    await pause(20);
    expect(later.begun()).toBe(true);
    let worked = false;
    await run('a', async () => {
      await pause();
      worked = true;
    });
    expect(worked).toBe(true);
  });

  it('go on behind work that fails', async () => {
    const { run } = lanes({ maxPerTarget: 1 });
    await run('a', () => Promise.reject(new Error('away')));
    let worked = false;
    await run('a', async () => void (worked = true));
    expect(worked).toBe(true);
  });
});
