import { randomUUID } from 'node:crypto';

import { type Bus, TOPICS } from '@sallyport/bus';
import type { LeaseEvent, LeaseEvents, SigningKey } from '@sallyport/events';
import { type LeaseBook, LeaseError, type LeaseRecord } from '@sallyport/lease';
import { followTrusted, type Roster, writeLease } from '@sallyport/trust';

/** The vendor's writer of the lease stream: each entry is signed, and durable when its promise resolves. */
export function leaseRecord(bus: Bus, key: SigningKey, clock: () => number): LeaseRecord {
  const write = async <Type extends keyof LeaseEvents>(type: Type, data: LeaseEvents[Type]): Promise<void> => {
    const { id } = data;
    await writeLease(bus, key, { id: `${id}:${randomUUID()}`, subject: id, key: id, timeMs: clock() }, type, data);
  };
  return {
    issued: (lease) => write('lease.issued', lease),
    dropped: (ended) => write('lease.dropped', ended),
    swept: (ended) => write('lease.swept', ended),
    failed: (ended) => write('lease.failed', ended),
  };
}

export interface FollowLeasesOptions {
  readonly bus: Bus;
  readonly roster: Roster;
  readonly book: LeaseBook;
  /** Nothing from before can still be live. Milliseconds since the epoch. */
  readonly sinceMs: number;
  readonly settleTimeoutMs: number;
  readonly onError: (error: unknown) => void;
}

export interface LeaseReading {
  /** Resolves when all that was on the lease stream at the time of the call is in the book; rejects after `settleTimeoutMs`. */
  settled(): Promise<void>;
  close(): Promise<void>;
}

const POLL_MS = 10;

function fold(book: LeaseBook, event: LeaseEvent): void {
  if (event.type === 'lease.issued') book.issued(event.data);
  else if (event.type === 'lease.failed') book.ending(event.data.id);
  else book.ended(event.data.id);
}

/**
 * Keeps the book up to date with what any vendor has signed: all of the stream, in every replica. A forged `lease.dropped` makes no live
 * lease look ended, and a forged `lease.issued` keeps no orphan alive.
 */
export async function followLeases({ bus, roster, book, sinceMs, settleTimeoutMs, onError }: FollowLeasesOptions): Promise<LeaseReading> {
  /** Partition → the offset behind the last record that is in the book. */
  const folded = new Map<number, bigint>();
  const reading = await followTrusted({
    bus,
    topic: TOPICS.leases,
    roster,
    start: { at: 'timestamp', timestampMs: sinceMs },
    onEvent: (event) => fold(book, event),
    onRead: (partition, next) => folded.set(partition, next),
    onError,
  });

  // What is from before the start is not read, and nobody tells. The time of the last record wouldn't say it: anybody may write one with an old time.
  for (const [partition, start] of reading.starts ?? []) if (!folded.has(partition)) folded.set(partition, start);

  return {
    async settled() {
      const deadline = performance.now() + settleTimeoutMs;
      for (const { partition, first, next } of await bus.ends(TOPICS.leases)) {
        if (next === first) continue;
        while ((folded.get(partition) ?? 0n) < next) {
          if (performance.now() > deadline) throw new LeaseError('LEASE_RECORD', 'the lease stream could not be read in time');
          await new Promise((resolve) => setTimeout(resolve, POLL_MS));
        }
      }
    },
    close: () => reading.close(),
  };
}
