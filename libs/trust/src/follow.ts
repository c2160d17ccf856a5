import { type Bus, type BusRecord, CaughtUp, type Consumption, pages, type PartitionEnds, type StartAt, type TOPICS } from '@sallyport/bus';
import type { ControlEvent, LeaseEvent } from '@sallyport/events';
import type { Service } from './roles.js';
import type { Roster } from './roster.js';
import { type Distrusted, heardEvent, Once } from './signed-events.js';
import { TrustError } from './trust-error.js';

interface EventOf {
  readonly [TOPICS.control]: ControlEvent;
  readonly [TOPICS.leases]: LeaseEvent;
}

export interface FollowOptions<Topic extends keyof EventOf> {
  readonly bus: Bus;
  readonly topic: Topic;
  readonly roster: Roster;
  /** Default: from the beginning. */
  readonly start?: StartAt;
  /** Each trusted event once, in order. What it throws is told to `onError`, and what is behind it is heard all the same. */
  readonly onEvent: (event: EventOf[Topic], by: Service, record: BusRecord) => void;
  /** A record that nobody has to believe. It is passed over: it must not keep what is behind it from being heard. */
  readonly onDistrusted?: (reason: Distrusted, record: BusRecord) => void;
  /** Behind each batch: partition and the offset that comes next. */
  readonly onRead?: (partition: number, next: bigint) => void;
  readonly onError: (error: unknown) => void;
}

const ROSTER_POLL_MS = 1000;
/** Read at once when the log is looked at again. */
const PAGE_RECORDS = 500;

/**
 * Follows the control or lease stream. Resolves when everything that was on it at the time of the call has been heard. Rejects with
 * `TRUST_LOG_CUT` when it is to be heard from the beginning and its beginning is gone: nobody could tell what was said there.
 */
export async function followTrusted<Topic extends keyof EventOf>(options: FollowOptions<Topic>): Promise<Consumption> {
  const { bus, topic, roster, onEvent, onDistrusted, onRead, onError, start = { at: 'earliest' } } = options;
  const once = new Once();
  /** Partition → the first record whose key wasn't known. A place, not the records: whoever floods the topic fills no memory here. */
  const unheard = new Map<number, bigint>();
  const read = new Map<number, bigint>();
  let rosterVersion: number | undefined = roster.version;
  const take = (record: BusRecord, isAgain = false): void => {
    const heard = heardEvent(roster, record);
    if (!heard.ok) {
      if (heard.reason === 'unknown-key' && !unheard.has(record.partition)) unheard.set(record.partition, record.offset);
      return isAgain ? undefined : onDistrusted?.(heard.reason, record);
    }
    if (!once.first(heard.event)) return;
    try {
      onEvent(heard.event as EventOf[Topic], heard.by, record);
    } catch (error) {
      onError(error);
    }
  };
  const ends: readonly PartitionEnds[] = start.at === 'earliest' ? await bus.ends(topic) : [];
  for (const { partition, first } of ends) if (first > 0n) throw new TrustError('TRUST_LOG_CUT', cut(topic, partition, first));
  const caughtUp = new CaughtUp(ends);
  const consumption = await bus.consume({
    topic,
    start,
    onBatch: async (records) => {
      records.forEach((record) => take(record));
      const last = records.at(-1);
      if (!last) return;
      read.set(last.partition, last.offset + 1n);
      onRead?.(last.partition, last.offset + 1n);
      caughtUp.read(last.partition, last.offset + 1n);
    },
    onError,
  });
  let isClosed = false;
  const hearAgain = async (partition: number, from: bigint): Promise<void> => {
    for await (const page of pages(bus, topic, { partition, first: from, next: read.get(partition) ?? 0n }, PAGE_RECORDS)) {
      page.forEach((record) => take(record, true));
      if (isClosed) return;
    }
  };
  let again: Promise<void> | undefined;
  // Keys come by other ways than events, and may come later.
  const enrolledSince = setInterval(() => {
    if (again !== undefined || roster.version === rosterVersion) return;
    rosterVersion = roster.version;
    const places = [...unheard];
    unheard.clear();
    again = Promise.all(places.map((place) => hearAgain(...place))).then(
      () => void (again = undefined),
      (error: unknown) => {
        // All of it at the next look.
        for (const [partition, from] of places) unheard.set(partition, from);
        [again, rosterVersion] = [undefined, undefined];
        onError(error);
      },
    );
  }, ROSTER_POLL_MS);
  enrolledSince.unref();
  await caughtUp.reached;
  return {
    ...(consumption.starts ? { starts: consumption.starts } : {}),
    async close() {
      isClosed = true;
      clearInterval(enrolledSince);
      await consumption.close();
      await again;
    },
  };
}

function cut(topic: string, partition: number, first: bigint): string {
  return `${topic}/${partition} begins at ${first}: what was said before it, such as who was revoked, is gone; make the topic anew and say it again`;
}
