import { randomUUID } from 'node:crypto';

import { type Bus, type BusRecord, type Consumption, TOPICS } from '@sallyport/bus';
import { leaseEvent, type LeaseEvents, parseEvent } from '@sallyport/events';
import { type LeaseBook, LeaseError, type LeaseRecord } from '@sallyport/lease';

/** The vendor's writer of the lease stream: each entry is durable when its promise resolves. */
export function leaseRecord(bus: Bus, source: string, clock: () => number): LeaseRecord {
  const write = async <Type extends keyof LeaseEvents>(type: Type, data: LeaseEvents[Type]): Promise<void> => {
    const timeMs = clock();
    const { bytes } = leaseEvent({ id: `${data.id}:${randomUUID()}`, source, subject: data.id }, type, data, timeMs);
    await bus.produce(TOPICS.leases, [{ key: data.id, value: bytes, timestampMs: timeMs }]);
  };
  return {
    issued: (lease) => write('lease.issued', lease),
    dropped: (ended) => write('lease.dropped', ended),
    swept: (ended) => write('lease.swept', ended),
    failed: (ended) => write('lease.failed', ended),
  };
}

export interface FollowOptions {
  readonly bus: Bus;
  readonly book: LeaseBook;
  /** Nothing from before can still be live. Milliseconds since the epoch. */
  readonly sinceMs: number;
  readonly settleTimeoutMs: number;
  readonly onSessionOver: (session: string) => Promise<void>;
  readonly onError: (error: unknown) => void;
}

export interface Following {
  /** Resolves when all that was on the lease stream at the time of the call is in the book; rejects after `settleTimeoutMs`. */
  settled(): Promise<void>;
  close(): Promise<void>;
}

const POLL_MS = 10;

/** What isn't an event of ours is left to the projector to complain about. */
function eventOf(record: BusRecord) {
  try {
    return parseEvent(record.value);
  } catch {
    return null;
  }
}

function fold(book: LeaseBook, record: BusRecord): void {
  const parsed = eventOf(record);
  if (parsed?.stream !== 'leases') return;
  const { event } = parsed;
  if (event.type === 'lease.issued') book.issued(event.data);
  else if (event.type === 'lease.failed') book.ending(event.data.id);
  else book.ended(event.data.id);
}

/** Cheap first look: most of the session stream are operations, and only ends matter here. */
const ENDS = ['"session.closed"', '"session.aborted"'];

function sessionOver(record: BusRecord): string | null {
  if (!ENDS.some((end) => record.value.includes(end))) return null;
  const parsed = eventOf(record);
  if (parsed?.stream !== 'session') return null;
  const { event } = parsed;
  return event.type === 'session.closed' || event.type === 'session.aborted' ? event.sessionid : null;
}

/** Keeps the book up to date from the lease stream and the ends of sessions. */
export async function follow({ bus, book, sinceMs, settleTimeoutMs, onSessionOver, onError }: FollowOptions): Promise<Following> {
  /** Partition → the offset behind the last record that is in the book. */
  const folded = new Map<number, bigint>();
  const start = { at: 'timestamp', timestampMs: sinceMs } as const;
  const consumptions: Consumption[] = [];
  consumptions.push(
    await bus.consume({
      topic: TOPICS.leases,
      start,
      async onBatch(batch) {
        for (const record of batch) {
          fold(book, record);
          folded.set(record.partition, record.offset + 1n);
        }
      },
      onError,
    }),
  );
  consumptions.push(
    await bus.consume({
      topic: TOPICS.sessions,
      start,
      async onBatch(batch) {
        for (const record of batch) {
          const session = sessionOver(record);
          // A target that hangs must not hold up the stream.
          if (session !== null) void onSessionOver(session).catch(onError);
        }
      },
      onError,
    }),
  );

  const isOlder = async (partition: number, next: bigint): Promise<boolean> => {
    const [last] = await bus.read(TOPICS.leases, partition, next - 1n, 1);
    return last === undefined || last.timestampMs < sinceMs;
  };

  return {
    async settled() {
      const deadline = performance.now() + settleTimeoutMs;
      for (const { partition, first, next } of await bus.ends(TOPICS.leases)) {
        if (next === first) continue;
        while ((folded.get(partition) ?? 0n) < next) {
          // The consumer skips what is from before the start, and never tells.
          if (!folded.has(partition) && (await isOlder(partition, next))) break;
          if (performance.now() > deadline) throw new LeaseError('LEASE_RECORD', 'the lease stream could not be read in time');
          await new Promise((resolve) => setTimeout(resolve, POLL_MS));
        }
      }
    },
    async close() {
      await Promise.all(consumptions.map((each) => each.close()));
    },
  };
}
