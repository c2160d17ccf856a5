import { BusError } from '@sallyport/bus';
import { prepareRecord } from '../wire/record-batch.js';
import { type Batch, nextSequence, PartitionQueue } from './partition-queue.js';

const SEQUENCE_AT = 53;
const PRODUCER_AT = 43;
const sequenceOf = (batch: Batch): number => batch.bytes.readInt32BE(SEQUENCE_AT);
const producerOf = (batch: Batch): bigint => batch.bytes.readBigInt64BE(PRODUCER_AT);
const failed = new BusError('BUS_FAILED', 'of the test');

function add(queue: PartitionQueue, count: number, deadlineMs = Infinity, bytes = 10): Promise<readonly bigint[] | string> {
  const records = Array.from({ length: count }, () => prepareRecord({ key: null, value: Buffer.alloc(bytes) }));
  return new Promise((resolve) => queue.add({ records, deadlineMs, resolve, reject: (error) => resolve((error as BusError).code) }));
}

function queueWith(maxBatchBytes = 10_000): PartitionQueue {
  const queue = new PartitionQueue(0, maxBatchBytes);
  queue.useProducer({ id: 1n, epoch: 0 });
  return queue;
}

describe('what waits for a partition', () => {
  it('goes out together, and each call learns its own offsets', async () => {
    const queue = queueWith();
    const calls = [add(queue, 2), add(queue, 1)];
    const batch = queue.batch();
    expect(batch.count).toBe(3);
    queue.acknowledge(batch, 40n);
    expect(await Promise.all(calls)).toEqual([[40n, 41n], [42n]]);
    expect(queue.hasWork).toBe(false);
  });

  it('is the same batch with the same place until its outcome is known', () => {
    const queue = queueWith();
    void add(queue, 2);
    const first = queue.batch();
    void add(queue, 5);
    expect(queue.batch()).toBe(first);
    expect(sequenceOf(first)).toBe(0);
    queue.acknowledge(first, 0n);
    expect(sequenceOf(queue.batch())).toBe(2);
  });

  it('is sent again under a new producer when the broker counts otherwise', () => {
    const queue = queueWith();
    void add(queue, 2);
    queue.acknowledge(queue.batch(), 0n);
    void add(queue, 3);
    const batch = queue.batch();
    expect([producerOf(batch), sequenceOf(batch)]).toEqual([1n, 2]);
    queue.dropProducer();
    expect(queue.needsProducer).toBe(true);
    queue.useProducer({ id: 2n, epoch: 0 });
    expect(queue.batch()).toBe(batch);
    expect([producerOf(batch), sequenceOf(batch)]).toEqual([2n, 0]);
  });

  it('P1: a batch that is given up takes its producer along, so that no other records get its place', async () => {
    const queue = queueWith();
    const call = add(queue, 2);
    const batch = queue.batch();
    queue.giveUp(batch, failed);
    expect(await call).toBe('BUS_FAILED');
    expect(queue.needsProducer).toBe(true);
    // Its answer comes late and means nothing any more.
    void add(queue, 2);
    queue.useProducer({ id: 2n, epoch: 0 });
    const next = queue.batch();
    queue.acknowledge(batch, 7n);
    expect(queue.hasWork).toBe(true);
    expect([producerOf(next), sequenceOf(next)]).toEqual([2n, 0]);
  });

  it('of a large call goes in several batches, in order', async () => {
    const queue = queueWith(1000);
    const call = add(queue, 10, Infinity, 200);
    const sizes: number[] = [];
    for (let offset = 0n; queue.hasWork;) {
      const batch = queue.batch();
      sizes.push(batch.count);
      queue.acknowledge(batch, offset);
      offset += BigInt(batch.count);
    }
    expect(sizes).toEqual([3, 3, 3, 1]);
    expect(await call).toEqual([0n, 1n, 2n, 3n, 4n, 5n, 6n, 7n, 8n, 9n]);
  });

  it('is made smaller when the broker wants that, without losing its order', async () => {
    const queue = queueWith();
    const calls = [add(queue, 3, Infinity, 100), add(queue, 4, Infinity, 100)];
    const large = queue.batch();
    expect(large.count).toBe(7);
    expect(queue.split(large)).toBe(true);
    for (let offset = 0n; queue.hasWork;) {
      const batch = queue.batch();
      expect(batch.count).toBeLessThan(7);
      queue.acknowledge(batch, offset);
      offset += BigInt(batch.count);
    }
    expect(await Promise.all(calls)).toEqual([
      [0n, 1n, 2n],
      [3n, 4n, 5n, 6n],
    ]);
  });

  it('can not be made smaller than a record', () => {
    const queue = queueWith();
    void add(queue, 1);
    expect(queue.split(queue.batch())).toBe(false);
  });

  it('expires in order: what was sent may be on the log, what waits is not', async () => {
    const queue = queueWith();
    const calls = [add(queue, 1, 100)];
    queue.batch();
    calls.push(add(queue, 1, 150), add(queue, 1, 300));
    const sent: boolean[] = [];
    const late = (wasSent: boolean): BusError => (sent.push(wasSent), failed);
    queue.expire(50, late);
    expect(sent).toEqual([]);
    queue.expire(200, late);
    expect(sent).toEqual([true, false]);
    expect(await Promise.all(calls.slice(0, 2))).toEqual(['BUS_FAILED', 'BUS_FAILED']);
    expect(queue.deadlineMs).toBe(300);
  });

  it('counts on from 0 behind the last sequence', () => {
    expect([nextSequence(5, 3), nextSequence(2 ** 31 - 1, 1), nextSequence(2 ** 31 - 3, 10)]).toEqual([8, 0, 7]);
  });
});
