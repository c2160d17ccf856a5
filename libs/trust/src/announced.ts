import { randomUUID } from 'node:crypto';
import type { Bus } from '@sallyport/bus';
import type { ControlEvent, SigningKey } from '@sallyport/events';
import type { Role, Service } from './roles.js';
import type { Roster } from './roster.js';
import { type SealKey, sealKeyOf } from './sealed.js';
import { writeControl } from './signed-events.js';

/** Says that this service is there, with the key that others seal to it with. Durable when it resolves. */
export function announce(
  bus: Pick<Bus, 'produce'>,
  key: SigningKey,
  { installation, version, nowMs }: { readonly installation: string; readonly version: string; readonly nowMs: number },
): Promise<void> {
  return writeControl(bus, key, { id: randomUUID(), subject: key.name, key: key.name, timeMs: nowMs }, 'service.announced', {
    service: key.name,
    keyId: key.id,
    sealKey: sealKeyOf(key),
    installation,
    version,
  });
}

/** A service that has said that it is there. */
export interface Announced extends Service {
  /** The key that its announcement was signed with. */
  readonly keyId: string;
  readonly sealKey: SealKey;
  /** Of the first announcement under this name, and of the last one; milliseconds since the epoch. */
  readonly firstAtMs: number;
  readonly atMs: number;
}

/** Who has announced itself: a fold of the control stream. Who is not enrolled any more is not among them. */
export class AnnouncedServices {
  readonly #services = new Map<string, Announced>();

  constructor(private readonly roster: Roster) {}

  /** @param event  as {@link followTrusted} gives it: signed by `by`. */
  apply(event: Extract<ControlEvent, { type: 'service.announced' }>, by: Service): void {
    if (event.data.service !== by.name) return;
    const known = this.#services.get(by.name);
    const atMs = Date.parse(event.time);
    const { keyId, sealKey } = event.data;
    this.#services.set(by.name, { ...by, keyId, sealKey, firstAtMs: known?.firstAtMs ?? atMs, atMs });
  }

  ofRole(role: Role): readonly Announced[] {
    return [...this.#services.values()].filter((one) => one.role === role && this.roster.find(one.keyId)?.name === one.name);
  }

  /** The keys to seal to, so that any service of the role can open it. */
  sealKeys(role: Role): readonly SealKey[] {
    return this.ofRole(role).map(({ sealKey }) => sealKey);
  }
}
