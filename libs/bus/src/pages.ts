import type { Bus, BusRecord, PartitionEnds } from './bus.port.js';

/**
 * The records of a partition from `first` to before `next`, a page of at most so many records at a time. Ends early where nothing is
 * there (yet, or any more).
 */
export async function* pages(
  bus: Pick<Bus, 'read'>,
  topic: string,
  { partition, first, next }: PartitionEnds,
  pageRecords: number,
): AsyncGenerator<readonly BusRecord[], void, undefined> {
  for (let offset = first; offset < next;) {
    const left = next - offset;
    const page = await bus.read(topic, partition, offset, left < BigInt(pageRecords) ? Number(left) : pageRecords);
    const last = page.at(-1);
    if (!last) return;
    // Behind a gap (compaction) a page may go further.
    yield last.offset < next ? page : page.filter((record) => record.offset < next);
    offset = last.offset + 1n;
  }
}
