import { randomUUID } from 'node:crypto';
import type { ControlEvents } from '@sallyport/events';
import type { Principal } from '@sallyport/identity';
import type { SessionRow } from '@sallyport/projections';
import { writeControl } from '@sallyport/trust';
import type { ConsoleServices } from './services.js';

type Services = Pick<ConsoleServices, 'bus' | 'key' | 'nowMs'>;

const NO_REASON = 'no reason given';

/** P10: one event, and the edge that holds the session ends it. Resolves with the event's id when it is on the log. */
export function revokeSession(services: Services, by: Principal, { id, subject }: SessionRow, reason: string): Promise<string> {
  return publish(services, 'session.revoked', id, subject, { session: id, by: nameOf(by), reason: reason || NO_REASON });
}

/** P10: one event, and every edge ends every session of this principal. Without an issuer, of that subject of any issuer. */
export function revokePrincipal(
  services: Services,
  by: Principal,
  target: { readonly subject: string; readonly issuer?: string },
  reason: string,
): Promise<string> {
  return publish(services, 'principal.revoked', target.subject, target.subject, { ...target, by: nameOf(by), reason: reason || NO_REASON });
}

async function publish<Type extends 'session.revoked' | 'principal.revoked'>(
  { bus, key: signingKey, nowMs }: Services,
  type: Type,
  key: string,
  subject: string,
  data: ControlEvents[Type],
): Promise<string> {
  const id = randomUUID();
  await writeControl(bus, signingKey, { id, subject, key, timeMs: nowMs() }, type, data);
  return id;
}

function nameOf({ subject, provider }: Principal): string {
  return provider === 'local' ? `${subject} (local)` : subject;
}
