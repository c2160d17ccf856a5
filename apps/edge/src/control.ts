import { type Bus, type Consumption, TOPICS } from '@sallyport/bus';
import type { ControlEvent, SigningKey } from '@sallyport/events';
import type { Revocations } from '@sallyport/identity';
import type { Holds } from '@sallyport/session';
import { type AnnouncedServices, type FollowOptions, followTrusted, type Roster, type Service } from '@sallyport/trust';
import type { Acknowledgements } from './acknowledgements.js';
import type { LiveSessions } from './live-sessions.js';
import type { Log } from './log.js';

export interface ControlOptions {
  readonly bus: Bus;
  readonly roster: Roster;
  /** Of this edge: tells its own acknowledgements from those of others. */
  readonly key: SigningKey;
  readonly heard: Heard;
  readonly onDistrusted: NonNullable<FollowOptions<typeof TOPICS.control>['onDistrusted']>;
  readonly log: Log;
}

/** Who hears of it. */
export interface Heard {
  readonly holds: Holds;
  readonly live: LiveSessions;
  readonly revocations: Revocations;
  readonly acknowledgements: Acknowledgements;
  readonly announced: AnnouncedServices;
}

/**
 * What people and services say about sessions that this edge holds: approvals and revocations (P10), as far as whoever may say so has
 * signed it, each once. From the beginning: who was revoked last week is still revoked. Resolves when it is caught up, before the first
 * agent is let in.
 */
export async function followControl({ bus, roster, key, heard, onDistrusted, log }: ControlOptions): Promise<Consumption> {
  let live = false;
  const consumption = await followTrusted({
    bus,
    topic: TOPICS.control,
    roster,
    onEvent: (event, by) => apply(event, by, { ...heard, own: key.name, isLive: live }),
    onDistrusted,
    onError: (error) => log.error({ err: error }, 'the control stream can not be followed'),
  });
  live = true;
  heard.acknowledgements.caughtUp();
  return consumption;
}

interface Hearing extends Heard {
  readonly own: string;
  /** False while the past is read: nobody has a session yet. */
  readonly isLive: boolean;
}

function apply(event: ControlEvent, by: Service, { holds, live, revocations, acknowledgements, announced, own, isLive }: Hearing): void {
  const ended = (sessions: Promise<number>): void =>
    isLive ? acknowledgements.revoked(event.id, sessions) : acknowledgements.revokedBefore(event.id);
  switch (event.type) {
    case 'approval.given':
      return holds.granted(event.data);
    case 'approval.refused':
      return holds.refused(event.data);
    case 'session.revoked':
      return ended(live.revokeSession(event.data.session, `revoked by ${event.data.by}: ${event.data.reason}`));
    case 'principal.revoked':
      revocations.revoke(event.data.subject, event.data.issuer, Date.parse(event.time));
      return ended(live.revokePrincipal(event.data.subject, event.data.issuer, `revoked by ${event.data.by}: ${event.data.reason}`));
    case 'service.announced':
      return announced.apply(event, by);
    case 'revocation.applied':
      if (by.name === own) acknowledgements.acknowledged(event.data.revocation);
      return;
    default:
  }
}
