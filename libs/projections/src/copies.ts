import type { LogEntry } from './entry.js';

/** Of a record that takes the place of another event: the first one stands, this one is kept beside it as a problem. */
export const EVENT_CONFLICT = 'EVENT_CONFLICT';

/** The place that an event takes, once: in its session's stream by number, any other on its topic by its writer and id. */
export type EventPlace = { readonly session: string; readonly sequence: number } | { readonly topic: string; readonly identity: string };

/** Null for what is no event: it takes no place, so it has no copies. */
export function eventPlace({ record, reading, identity }: LogEntry): EventPlace | null {
  if (reading.stream === 'session' || reading.stream === 'session-unknown') {
    return { session: reading.event.sessionid, sequence: reading.event.sequence };
  }
  return identity === null ? null : { topic: record.topic, identity };
}

export function placeKey(place: EventPlace): string {
  return 'session' in place ? `${place.sequence}/${place.session}` : `${place.topic} ${place.identity}`;
}

/**
 * What is new of these entries. A writer that wasn't told it had succeeded writes again: an event with the bytes of the one that has its
 * place is left out. With other bytes it is an `unreadable` entry, {@link EVENT_CONFLICT}. `taken` has the bytes of those that were
 * read before, by {@link placeKey}.
 */
export function withoutCopies(entries: readonly LogEntry[], taken: ReadonlyMap<string, Buffer>): readonly LogEntry[] {
  const first = new Map(taken);
  return entries.flatMap((entry): readonly LogEntry[] => {
    const place = eventPlace(entry);
    if (!place) return [entry];
    const key = placeKey(place);
    const before = first.get(key);
    if (before === undefined) {
      first.set(key, entry.record.bytes);
      return [entry];
    }
    if (before.equals(entry.record.bytes)) return [];
    return [{ record: entry.record, reading: { stream: 'unreadable', code: EVENT_CONFLICT }, time: null, identity: null }];
  });
}
