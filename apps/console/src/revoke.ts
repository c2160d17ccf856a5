import { randomUUID } from 'node:crypto';
import { TOPICS } from '@sallyport/bus';
import { type ControlEvents, controlEvent } from '@sallyport/events';
import type { Principal } from '@sallyport/identity';
import type { SessionRow } from '@sallyport/projections';
import type { ConsoleServices } from './services.js';

type Services = Pick<ConsoleServices, 'bus' | 'nowMs'>;

const NO_REASON = 'no reason given';

/** P10: one event, and the edge that holds the session ends it. Resolves when it is on the log. */
export function revokeSession(services: Services, by: Principal, { id, subject }: SessionRow, reason: string): Promise<void> {
  return publish(services, 'session.revoked', id, subject, { session: id, by: nameOf(by), reason: reason || NO_REASON });
}

/** P10: one event, and every edge ends every session of this principal. Without an issuer, of that subject of any issuer. */
export function revokePrincipal(
  services: Services,
  by: Principal,
  target: { readonly subject: string; readonly issuer?: string },
  reason: string,
): Promise<void> {
  return publish(services, 'principal.revoked', target.subject, target.subject, { ...target, by: nameOf(by), reason: reason || NO_REASON });
}

async function publish<Type extends 'session.revoked' | 'principal.revoked'>(
  { bus, nowMs }: Services,
  type: Type,
  key: string,
  subject: string,
  data: ControlEvents[Type],
): Promise<void> {
  const { bytes } = controlEvent({ id: randomUUID(), source: '/console', subject }, type, data, nowMs());
  await bus.produce(TOPICS.control, [{ key, value: bytes }]);
}

function nameOf({ subject, provider }: Principal): string {
  return provider === 'local' ? `${subject} (local)` : subject;
}
