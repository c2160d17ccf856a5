import type { LeaseGrant, LeasePort } from '@sallyport/lease';
import { type EndReason, RecordLate, RecordUnavailable, type Session } from '@sallyport/session';
import type { Log } from '../log.js';

export interface SessionEnd {
  /**
   * Resolves when the closing event is durable, or kept here for a bus that is late; rejects when it can't be put on record here, and the
   * next start has to.
   */
  readonly recorded: Promise<void>;
  /** Resolves when nothing is left to do. */
  readonly over: Promise<void>;
}

/** The closing event, behind everything else and as soon as the log takes it; the credential is dropped whatever the log says (P4). */
export function endSession(
  session: Session,
  reason: EndReason,
  detail: string | undefined,
  lease: LeaseGrant['lease'] | undefined,
  { leases, log }: { readonly leases: LeasePort; readonly log: Log },
  finished: Promise<void>,
): SessionEnd {
  const dropped = lease
    ? leases.drop(lease.id, lease.resource).catch((error: unknown) => {
        log.warn({ err: error, session: session.id, lease: lease.id }, 'a credential was not dropped; the vendor sweeps it');
      })
    : undefined;
  const recorded = record(session, reason, detail, finished);
  const told = recorded.catch((error: unknown) => {
    log.error({ err: error, session: session.id }, 'a session’s end can not be put on record');
  });
  return { recorded, over: Promise.all([told, dropped]).then(() => undefined) };
}

async function record(session: Session, reason: EndReason, detail: string | undefined, finished: Promise<void>): Promise<void> {
  await finished;
  for (;;) {
    try {
      return await session.recorder.durable(session.close(reason, detail));
    } catch (error) {
      // It is in the spool, and nothing of the session goes on: it will be on the bus when there is one again.
      if (error instanceof RecordLate) return;
      // Lost for good: the next start closes it as aborted from what the disk has.
      if (!(error instanceof RecordUnavailable) || !mayPass(error.cause)) throw error;
      await new Promise((resolve) => setTimeout(resolve, CLOSE_RETRY_MS).unref());
    }
  }
}

const CLOSE_RETRY_MS = 500;

/** A full log gets room, and a disk comes back. */
function mayPass(cause: unknown): boolean {
  return cause instanceof Error && 'code' in cause && (cause.code === 'JOURNAL_FULL' || cause.code === 'JOURNAL_WRITE_FAILED');
}
