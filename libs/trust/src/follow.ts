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

/** Follows the control or lease stream. Resolves when everything that was on it at the time of the call has been heard. */
export async function followTrusted<Topic extends keyof EventOf>(options: FollowOptions<Topic>): Promise<Consumption> {
  const { bus, topic, roster, onEvent, onDistrusted, onRead, onError, start = { at: 'earliest' } } = options;
  const once = new Once();
  const take = (record: BusRecord): void => {
    const heard = heardEvent(roster, record);
    if (!heard.ok) return onDistrusted?.(heard.reason, record);
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
  await ready;
  return consumption;
}
