import { type Bus, type BusRecord, type Consumption, type StartAt, type TOPICS } from '@sallyport/bus';
import type { ControlEvent, LeaseEvent } from '@sallyport/events';
import type { Service } from './roles.js';
import type { Roster } from './roster.js';
import { type Distrusted, heardEvent, Once } from './signed-events.js';

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

/** Records of unknown keys that are kept, in case the key is enrolled later; the oldest is given up first. */
export const STRANGERS_MAX = 1000;
const ROSTER_POLL_MS = 1000;

/** Follows the control or lease stream. Resolves when everything that was on it at the time of the call has been heard. */
export async function followTrusted<Topic extends keyof EventOf>(options: FollowOptions<Topic>): Promise<Consumption> {
  const { bus, topic, roster, onEvent, onDistrusted, onRead, onError, start = { at: 'earliest' } } = options;
  const once = new Once();
  let strangers: BusRecord[] = [];
  let rosterVersion = roster.version;
  const take = (record: BusRecord): void => {
    const heard = heardEvent(roster, record);
    if (!heard.ok) {
      if (heard.reason === 'unknown-key') strangers = [...strangers.slice(1 - STRANGERS_MAX), record];
      return onDistrusted?.(heard.reason, record);
    }
    if (!once.first(heard.event)) return;
    try {
      onEvent(heard.event as EventOf[Topic], heard.by, record);
    } catch (error) {
      onError(error);
    }
  };
  const missing = new Map<number, bigint>();
  if (start.at === 'earliest') {
    for (const { partition, first, next } of await bus.ends(topic)) if (next > first) missing.set(partition, next);
  }
  let caughtUp = (): void => undefined;
  const ready = new Promise<void>((resolve) => (caughtUp = resolve));
  if (missing.size === 0) caughtUp();
  const consumption = await bus.consume({
    topic,
    start,
    onBatch: async (records) => {
      records.forEach(take);
      const last = records.at(-1);
      if (!last) return;
      onRead?.(last.partition, last.offset + 1n);
      if (last.offset + 1n >= (missing.get(last.partition) ?? 0n)) missing.delete(last.partition);
      if (missing.size === 0) caughtUp();
    },
    onError,
  });
  // Keys come by other ways than events, and may come later.
  const enrolledSince = setInterval(() => {
    if (roster.version === rosterVersion) return;
    rosterVersion = roster.version;
    strangers.splice(0).forEach(take);
  }, ROSTER_POLL_MS);
  enrolledSince.unref();
  await ready;
  return {
    close() {
      clearInterval(enrolledSince);
      return consumption.close();
    },
  };
}
