import { type Bus, type BusRecord, type Consumption, TOPICS } from '@sallyport/bus';
import { type ControlEvent, parseEvent } from '@sallyport/events';
import type { Revocations } from '@sallyport/identity';
import type { Holds } from '@sallyport/session';
import type { LiveSessions } from './live-sessions.js';
import type { Log } from './log.js';

/** What people and services say about sessions that this edge holds: approvals and revocations (P10). */
export async function followControl(bus: Bus, heard: Heard, log: Log): Promise<Consumption> {
  // From the beginning: who was revoked last week is still revoked. Caught up before the first agent is let in.
  const missing = new Map(
    (await bus.ends(TOPICS.control)).filter(({ first, next }) => next > first).map(({ partition, next }) => [partition, next]),
  );
  let caughtUp: () => void = () => undefined;
  const ready = new Promise<void>((resolve) => (caughtUp = resolve));
  if (missing.size === 0) caughtUp();
  const consumption = await bus.consume({
    topic: TOPICS.control,
    start: { at: 'earliest' },
    onBatch: async (records) => {
      for (const record of records) apply(record, heard, log);
      const last = records.at(-1);
      if (last && last.offset + 1n >= (missing.get(last.partition) ?? 0n)) missing.delete(last.partition);
      if (missing.size === 0) caughtUp();
    },
    onError: (error) => log.error({ err: error }, 'the control stream can not be followed'),
  });
  await ready;
  return consumption;
}

/** Who hears of it. */
export interface Heard {
  readonly holds: Holds;
  readonly live: LiveSessions;
  readonly revocations: Revocations;
}

function apply(record: BusRecord, { holds, live, revocations }: Heard, log: Log): void {
  const event = parsed(record, log);
  switch (event?.type) {
    case 'approval.given':
      return holds.granted(event.data);
    case 'approval.refused':
      return holds.refused(event.data);
    case 'session.revoked':
      return live.revokeSession(event.data.session, `revoked by ${event.data.by}: ${event.data.reason}`);
    case 'principal.revoked':
      revocations.revoke(event.data.subject, event.data.issuer, Date.parse(event.time));
      return live.revokePrincipal(event.data.subject, event.data.issuer, `revoked by ${event.data.by}: ${event.data.reason}`);
    default:
  }
}

/** What can't be read is told and passed over: it must not keep a revocation behind it from being heard. */
function parsed(record: BusRecord, log: Log): ControlEvent | undefined {
  try {
    const parsedEvent = parseEvent(record.value);
    return parsedEvent.stream === 'control' ? parsedEvent.event : undefined;
  } catch (error) {
    log.error({ err: error, offset: record.offset.toString() }, 'a control event can not be read');
    return undefined;
  }
}
