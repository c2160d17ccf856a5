import type { LeaseEvent } from '@sallyport/events';
import { instant, instantOf, keyText } from './values.js';

/** One credential, as the vendor tells it. Never the secret. */
export interface LeaseRow {
  readonly id: string;
  /** Empty when its issue is not on the log. */
  readonly session: string;
  readonly resource: string;
  readonly source: string;
  readonly login: string;
  readonly profiles: readonly string[];
  /** `failed`: its end was tried and didn't work; it may still end. */
  readonly state: 'issued' | 'failed' | 'dropped' | 'swept';
  /** Why the end didn't work, the last time. */
  readonly failure: string | null;
  readonly issued: string | null;
  readonly expires: string | null;
  readonly ended: string | null;
}

/** One event further. A redelivered event changes nothing: a lease ends once, and its issue is told once. */
export function evolveLease(row: LeaseRow | undefined, event: LeaseEvent): LeaseRow {
  const before = row ?? blank(keyText(event.data.id), event.data.resource, event.data.login);
  const time = instant(event.time);
  switch (event.type) {
    case 'lease.issued': {
      if (before.issued !== null) return before;
      const { session, resource, source, login, profiles, expiresAtMs } = event.data;
      return {
        ...before,
        session: keyText(session),
        resource: keyText(resource),
        source,
        login,
        profiles,
        issued: time,
        expires: instantOf(expiresAtMs),
      };
    }
    case 'lease.dropped':
      return before.ended === null ? { ...before, state: 'dropped', ended: time } : before;
    case 'lease.swept':
      return before.ended === null ? { ...before, state: 'swept', ended: time } : before;
    case 'lease.failed':
      return before.ended === null ? { ...before, state: 'failed', failure: event.data.code } : before;
  }
}

function blank(id: string, resource: string, login: string): LeaseRow {
  return {
    id,
    session: '',
    resource: keyText(resource),
    source: '',
    login,
    profiles: [],
    state: 'issued',
    failure: null,
    issued: null,
    expires: null,
    ended: null,
  };
}
