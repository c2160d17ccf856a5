import { type Bus, type BusRecord, TOPICS } from '@sallyport/bus';
import type { LeaseBook, Vendor } from '@sallyport/lease';
import { type Roster, type SessionEnd, sessionEnd } from '@sallyport/trust';

/** The group in which vendors share the ends of sessions. */
export const ENDS_GROUP = 'vendor-ends';

export interface SessionEndsOptions {
  readonly bus: Bus;
  readonly roster: Roster;
  readonly book: LeaseBook;
  readonly vendor: Pick<Vendor, 'sessionOver'>;
  readonly settled: () => Promise<void>;
  /** Nothing from before can still be live. Milliseconds since the epoch. */
  readonly sinceMs: number;
  readonly onError: (error: unknown) => void;
}

/**
 * Reads the ends of sessions twice. In a group, so that one replica drops what the session held; an end is committed behind that, so a
 * vendor that is killed leaves it to another. And in each replica alone, only to know what is over: whoever drops may fail or be killed
 * behind its commit, and then every other one's sweep must know that the role is no longer live. Deriving that from the lease stream would
 * leave out exactly the ends that nobody got to record. It costs each replica a look at every record of the topic, for two words.
 */
export async function followSessionEnds(options: SessionEndsOptions): Promise<{ close(): Promise<void> }> {
  const { bus, roster, book, vendor, settled, sinceMs, onError } = options;
  const start = { at: 'timestamp', timestampMs: sinceMs } as const;
  const endsIn = (batch: readonly BusRecord[]): Extract<SessionEnd, { ok: true }>[] =>
    batch.map((record) => sessionEnd(roster, record)).filter((end) => end.ok);

  const knowing = await bus.consume({
    topic: TOPICS.sessions,
    start,
    onBatch: async (batch) => {
      for (const { session, by } of endsIn(batch)) book.sessionOver(session, by.name);
    },
    onError,
  });
  const dropping = await bus.consume({
    topic: TOPICS.sessions,
    group: ENDS_GROUP,
    start,
    onBatch: async (batch, context) => {
      const ends = endsIn(batch);
      // Its lease may be another replica's, of a moment ago.
      if (ends.some(({ session }) => !book.wasLeased(session))) await settled();
      // A target that hangs holds up neither the others nor the stream: `lanes` has the limits.
      await Promise.all(ends.map(({ session, by }) => vendor.sessionOver(session, by.name)));
      context.commitSoon();
    },
    onError,
  });
  return {
    async close() {
      await Promise.all([knowing.close(), dropping.close()]);
    },
  };
}
