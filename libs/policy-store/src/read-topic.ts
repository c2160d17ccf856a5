import { type Bus, type BusRecord, pages, TOPICS } from '@sallyport/bus';
import { PolicyStoreError } from './policy-store-error.js';

/** Policies have one partition: their order is what everybody agrees on. */
export const POLICY_PARTITION = 0;
/** Records may be large: so many are held at once. */
const PAGE_RECORDS = 16;

/** Every record from `from` on that was there when it was called. Returns the offset behind them. @throws PolicyStoreError POLICY_LOG_CUT */
export async function readTopic(bus: Pick<Bus, 'read' | 'ends'>, from: bigint, onRecord: (record: BusRecord) => void): Promise<bigint> {
  const ends = await bus.ends(TOPICS.policies);
  const { first, next } = ends.find(({ partition }) => partition === POLICY_PARTITION) ?? { first: 0n, next: 0n };
  // A policy may have been there: going on without it would make an older one live, or the files.
  if (from < first)
    throw new PolicyStoreError(
      'POLICY_LOG_CUT',
      `${TOPICS.policies} begins at ${first}: what was published before it is gone; make it anew`,
    );
  for await (const page of pages(bus, TOPICS.policies, { partition: POLICY_PARTITION, first: from, next }, PAGE_RECORDS)) {
    page.forEach((record) => onRecord(record));
  }
  return next;
}

export async function readRecord(bus: Pick<Bus, 'read'>, offset: bigint): Promise<BusRecord | undefined> {
  const [record] = await bus.read(TOPICS.policies, POLICY_PARTITION, offset, 1);
  return record?.offset === offset ? record : undefined;
}
