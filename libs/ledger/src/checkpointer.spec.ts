import { generateSigningKey } from '@sallyport/events';
import { parseCheckpoint } from './checkpoint.js';
import { Checkpointer } from './checkpointer.js';
import type { Checkpoint } from './checkpointer.js';
import { ProofTree } from './tree/proof-tree.js';
import { leafHash } from './tree/hashing.js';

const options = { log: 'sallyport.sessions.v1/0', key: generateSigningKey('ledger/test'), everyEvents: 10, everyMs: 100 };
const event = (index: number) => Buffer.from(`event ${index}`);
const rootOf = (size: number) => new ProofTree(Array.from({ length: size }, (_, index) => leafHash(event(index)))).root();

function append(checkpointer: Checkpointer, from: number, to: number, nowMs = 0): Checkpoint[] {
  const made: Checkpoint[] = [];
  for (let index = from; index < to; index += 1) {
    const checkpoint = checkpointer.append(event(index), nowMs);
    if (checkpoint) made.push(checkpoint);
  }
  return made;
}

describe('Checkpointer', () => {
  it('P6: signs an empty log once, then every so many events', () => {
    const checkpointer = new Checkpointer(options);
    expect(checkpointer.finish()?.size).toBe(0);
    expect(checkpointer.finish()).toBeUndefined();
    const made = append(checkpointer, 0, 25);
    expect(made.map(({ size }) => size)).toEqual([10, 20]);
    expect(made.map(({ note }) => parseCheckpoint(note).root)).toEqual([rootOf(10), rootOf(20)]);
    expect(checkpointer.finish()).toMatchObject({ size: 25, root: rootOf(25) });
    expect(checkpointer.finish()).toBeUndefined();
  });

  it('P6: signs a quiet log after a while, and not when there is nothing new', () => {
    const checkpointer = new Checkpointer(options);
    checkpointer.finish();
    expect(checkpointer.dueAtMs).toBeUndefined();
    expect(checkpointer.tick(1e9)).toBeUndefined();
    append(checkpointer, 0, 1, 1000);
    append(checkpointer, 1, 2, 1050);
    expect(checkpointer.dueAtMs).toBe(1100);
    expect(checkpointer.tick(1099)).toBeUndefined();
    expect(checkpointer.tick(1100)?.size).toBe(2);
    expect(checkpointer.dueAtMs).toBeUndefined();
    append(checkpointer, 2, 3, 2000);
    expect(append(checkpointer, 3, 4, 2100).map(({ size }) => size)).toEqual([4]);
  });

  it('P6: goes on from its frontier after a restart', () => {
    const before = new Checkpointer(options);
    const [published] = append(before, 0, 13);
    const after = new Checkpointer(options, { frontier: before.frontier, published: published! });
    expect(after.finish()).toMatchObject({ size: 13, root: rootOf(13) });
    expect(append(after, 13, 23).map(({ size, root }) => ({ size, root }))).toEqual([{ size: 23, root: rootOf(23) }]);
  });

  it('P6: reads a log anew without signing twice what is published', () => {
    const [published] = append(new Checkpointer(options), 0, 10);
    const again = new Checkpointer(options, { published: published! });
    expect(again.finish()).toBeUndefined();
    expect(append(again, 0, 9)).toEqual([]);
    expect(again.missing).toBe(1);
    expect(append(again, 9, 19)).toEqual([]);
    expect(again.missing).toBe(0);
    expect(append(again, 19, 20).map(({ size }) => size)).toEqual([20]);
  });

  it('P6: signs nothing for a log that is not the one it signed before', () => {
    const [published] = append(new Checkpointer(options), 0, 10);
    const altered = new Checkpointer(options, { published: published! });
    altered.append(Buffer.from('another'), 0);
    append(altered, 1, 9);
    expect(() => altered.append(event(9), 0)).toThrow(expect.objectContaining({ code: 'LEDGER_DIVERGED' }));
    expect(() => altered.append(event(10), 0)).toThrow(expect.objectContaining({ code: 'LEDGER_DIVERGED' }));
    const { frontier } = altered;
    expect(() => new Checkpointer(options, { frontier: { size: 0, hashes: [] }, published: { ...published!, size: 0 } })).toThrow(
      expect.objectContaining({ code: 'LEDGER_DIVERGED' }),
    );
    expect(frontier.size).toBe(11);
  });
});
