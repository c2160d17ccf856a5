import { type Bus, type BusRecord, CaughtUp, type Consumption, TOPICS } from '@sallyport/bus';
import { type AnnouncedServices, type FollowOptions, followTrusted, isVouchedKind, type Roster, unvouched } from '@sallyport/trust';
import type { Logger } from 'pino';
import type { OpenHolds } from './open-holds.js';

export interface FollowHolds {
  readonly bus: Bus;
  readonly roster: Roster;
  readonly holds: OpenHolds;
  /** No hold lives longer: so much of the sessions is enough. */
  readonly holdTimeoutMs: number;
  readonly nowMs: number;
  readonly announced: AnnouncedServices;
  readonly onDistrusted: NonNullable<FollowOptions<typeof TOPICS.control>['onDistrusted']>;
  readonly log: Logger;
}

/**
 * Keeps the holds where the log is. Resolves when they are caught up, so that a request that comes again after a crash finds the hold
 * that its first try has answered.
 */
export async function followHolds({ bus, roster, holds, announced, onDistrusted, log, ...since }: FollowHolds): Promise<Consumption[]> {
  const onError = (error: unknown): void => log.error({ err: error }, 'the log can not be followed for holds');
  const heard = (record: BusRecord): void => {
    const reason = isVouchedKind(record) ? unvouched(roster, record) : undefined;
    if (reason === undefined) holds.session(record.value, log);
    else onDistrusted(reason, record);
  };
  const sessions = await followRecent(bus, since.nowMs - since.holdTimeoutMs, heard, onError);
  const control = await followTrusted({
    bus,
    topic: TOPICS.control,
    roster,
    onEvent: (event, by) => (event.type === 'service.announced' ? announced.apply(event, by) : holds.control(event)),
    onDistrusted,
    onError,
  });
  return [sessions, control];
}

/** The session topic from a time on. Resolves when what was there at the call has been heard. */
async function followRecent(
  bus: Bus,
  sinceMs: number,
  heard: (record: BusRecord) => void,
  onError: (error: unknown) => void,
): Promise<Consumption> {
  const caughtUp = new CaughtUp(await bus.ends(TOPICS.sessions));
  const consumption = await bus.consume({
    topic: TOPICS.sessions,
    start: { at: 'timestamp', timestampMs: sinceMs },
    onBatch: async (records: readonly BusRecord[]) => {
      records.forEach(heard);
      const last = records.at(-1);
      if (last) caughtUp.read(last.partition, last.offset + 1n);
    },
    onError,
  });
  // A partition whose end is from before the time gives nothing to wait for.
  for (const [partition, start] of consumption.starts ?? []) caughtUp.read(partition, start);
  await caughtUp.reached;
  return consumption;
}
