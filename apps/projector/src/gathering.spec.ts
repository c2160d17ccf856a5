import { StoreError } from '@sallyport/adapter-postgres-store';
import type { Applied, Batch } from '@sallyport/adapter-postgres-store';
import { Gathering, GATHERED_MAX_RECORDS } from './gathering.js';

const record = { topic: 't', partition: 0, offset: 0n, bytes: Buffer.alloc(0) };
const batch = (partition: number, records = 1): Batch => ({
  topic: 't',
  partition,
  records: Array.from({ length: records }, () => record),
  firstOffset: 0n,
  nextOffset: BigInt(records),
});

describe('gathering', () => {
  it('puts what has come while one transaction ran into the next, one of each partition, up to the limit', async () => {
    const transactions: number[][] = [];
    const gathering = new Gathering(async (batches) => {
      transactions.push(batches.map(({ partition }) => partition));
      await new Promise((resolve) => setTimeout(resolve, 1));
      return batches.map(({ records }): Applied => ({ records: records.length, unreadable: 0 }));
    });
    const large = GATHERED_MAX_RECORDS;
    const all = [batch(0), batch(1), batch(0), batch(2, large), batch(3), batch(4, large + 1)].map((one) => gathering.put(one));
    expect((await Promise.all(all)).map(({ records }) => records)).toEqual([1, 1, 1, large, 1, large + 1]);
    expect(transactions).toEqual([[0, 1], [0], [2], [3], [4]]);
  });

  it('tells each its own outcome, and all when nothing was done', async () => {
    const gap = new StoreError('STORE_GAP', 'a gap');
    let away = false;
    const gathering = new Gathering(async (batches) => {
      if (away) throw new StoreError('STORE_UNREACHABLE', 'away');
      return batches.map(({ partition }) => (partition === 1 ? gap : { records: 1, unreadable: 0 }));
    });
    const outcome = (one: Promise<unknown>): Promise<unknown> => one.catch((error: unknown) => error);
    expect(await Promise.all([0, 1, 2].map((partition) => outcome(gathering.put(batch(partition)))))).toMatchObject([
      { records: 1 },
      { code: 'STORE_GAP' },
      { records: 1 },
    ]);
    away = true;
    expect(await Promise.all([0, 1].map((partition) => outcome(gathering.put(batch(partition)))))).toMatchObject([
      { code: 'STORE_UNREACHABLE' },
      { code: 'STORE_UNREACHABLE' },
    ]);
  });
});
