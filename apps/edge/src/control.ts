import { type Bus, type BusRecord, type Consumption, TOPICS } from '@sallyport/bus';
import { type ControlEvent, parseEvent } from '@sallyport/events';
import type { Holds } from '@sallyport/session';
import type { LiveSessions } from './live-sessions.js';
import type { Log } from './log.js';

/** What people and services say about sessions that this edge holds: approvals and revocations (P10). */
export function followControl(bus: Bus, holds: Holds, live: LiveSessions, log: Log): Promise<Consumption> {
  return bus.consume({
    topic: TOPICS.control,
    // Nothing said before this edge started is about a session that it holds.
    start: { at: 'latest' },
    onBatch: async (records) => {
      for (const record of records) apply(record, holds, live, log);
    },
    onError: (error) => log.error({ err: error }, 'the control stream can not be followed'),
  });
}

function apply(record: BusRecord, holds: Holds, live: LiveSessions, log: Log): void {
  const event = parsed(record, log);
  switch (event?.type) {
    case 'approval.given':
      return holds.granted(event.data);
    case 'approval.refused':
      return holds.refused(event.data);
    case 'session.revoked':
      return live.revokeSession(event.data.session, `revoked by ${event.data.by}: ${event.data.reason}`);
    case 'principal.revoked':
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
