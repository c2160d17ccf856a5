import type { ControlEvent } from '@sallyport/events';
import { instant, keyText } from './values.js';

/** A service that has announced itself. Whether it is still enrolled is not on the log. */
export interface ServiceRow {
  /** `edge/NAME`. */
  readonly name: string;
  readonly role: string;
  /** Of the newest announcement. */
  readonly keyId: string;
  readonly installation: string;
  readonly version: string;
  readonly first: string;
  readonly last: string;
}

/** One announcement further, in whatever order they come; `row` when it is none of its writer's own. */
export function evolveService(
  row: ServiceRow | undefined,
  event: Extract<ControlEvent, { type: 'service.announced' }>,
): ServiceRow | undefined {
  const { service, keyId, installation, version } = event.data;
  if (event.source !== `/${service}`) return row;
  const time = instant(event.time) ?? event.time;
  const name = keyText(service);
  const told = { name, role: service.slice(0, Math.max(0, service.indexOf('/'))), keyId, installation, version, first: time, last: time };
  if (!row) return told;
  const first = time < row.first ? time : row.first;
  // Two of one millisecond: the greater key, so that the order of reading doesn't matter.
  const isNewer = time > row.last || (time === row.last && keyId > row.keyId);
  return isNewer ? { ...told, first } : { ...row, first };
}
