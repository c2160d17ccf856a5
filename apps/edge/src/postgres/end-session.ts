import type { LeaseGrant, LeasePort } from '@sallyport/lease';
import { type EndReason, RecordUnavailable, type Session } from '@sallyport/session';
import type { Log } from '../log.js';

/** The closing event, behind everything else and as soon as the log takes it; the credential is dropped whatever the log says (P4). */
export async function endSession(
  session: Session,
  reason: EndReason,
  detail: string | undefined,
  lease: LeaseGrant['lease'] | undefined,
  { leases, log }: { readonly leases: LeasePort; readonly log: Log },
  finished: Promise<void>,
): Promise<void> {
  const dropped = lease
    ? leases.drop(lease.id, lease.resource).catch((error: unknown) => {
        log.warn({ err: error, session: session.id, lease: lease.id }, 'a credential was not dropped; the vendor sweeps it');
      })
    : undefined;
  await finished;
  for (;;) {
    try {
      session.close(reason, detail);
      break;
    } catch (error) {
      // Lost for good: the next start closes it as aborted from what the disk has.
      if (!(error instanceof RecordUnavailable) || !mayPass(error.cause)) {
        log.error({ err: error, session: session.id }, 'a session’s end can not be put on record');
        break;
      }
      await new Promise((resolve) => setTimeout(resolve, CLOSE_RETRY_MS).unref());
    }
  }
  await dropped;
}

const CLOSE_RETRY_MS = 500;

/** A full log gets room, and a disk comes back. */
function mayPass(cause: unknown): boolean {
  return cause instanceof Error && 'code' in cause && (cause.code === 'JOURNAL_FULL' || cause.code === 'JOURNAL_WRITE_FAILED');
}
