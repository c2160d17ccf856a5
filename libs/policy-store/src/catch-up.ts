import type { Bus, BusRecord } from '@sallyport/bus';
import type { Roster } from '@sallyport/trust';
import { type Activated, type LoadPublished, PolicyLine } from './policy-line.js';
import { readRecord, readTopic } from './read-topic.js';
import type { Refused } from './refusal.js';

export interface CatchUpOptions<Loaded> {
  readonly bus: Pick<Bus, 'read' | 'ends'>;
  readonly line: PolicyLine<Loaded>;
  /** Puts a record to the line. Those that a later one has replaced are not offered. */
  readonly offer: (record: BusRecord) => void;
  /** What isn't a policy of a publisher. */
  readonly onUnreadable?: (refused: Refused, record: BusRecord) => void;
}

/**
 * Brings the line to where offering each record in order would have brought it, without loading what isn't live any more. Returns the
 * offset behind what was there.
 */
export async function catchUp<Loaded>({ bus, line, offer, onUnreadable }: CatchUpOptions<Loaded>): Promise<bigint> {
  const candidates: { readonly offset: bigint; readonly number: number }[] = [];
  const next = await readTopic(bus, 0n, (record) => {
    const read = line.read(record);
    if (read.ok) candidates.push({ offset: record.offset, number: read.policy.number });
    else onUnreadable?.(read, record);
  });
  candidates.sort((one, other) => other.number - one.number || Number(one.offset - other.offset));
  for (const { offset, number } of candidates) {
    if (!line.isAhead(number, offset)) break;
    const record = await readRecord(bus, offset);
    if (record) offer(record);
  }
  return next;
}

/** The live policy of the topic as it is now, and the offset behind it. */
export async function newestPolicy<Loaded>(
  bus: Pick<Bus, 'read' | 'ends'>,
  roster: Roster,
  load: LoadPublished<Loaded>,
): Promise<{ readonly live: Activated<Loaded> | undefined; readonly next: bigint }> {
  const line = new PolicyLine(roster, load);
  const next = await catchUp({ bus, line, offer: (record) => void line.offer(record) });
  return { live: line.live, next };
}
