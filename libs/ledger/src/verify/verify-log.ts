import { parseEnvelope } from '@sallyport/events';
import type { VerifierKey } from '@sallyport/events';
import { TreeBuilder } from '../tree/builder.js';
import { Checkpoints } from './checkpoints.js';
import type { CheckpointItem } from './checkpoints.js';
import { Findings, standingNotes } from './report.js';
import type { KeyOrigin, Place, VerifyReport } from './report.js';
import { Sessions } from './sessions.js';
import type { SessionLimits } from './sessions.js';

/** What stands at one place of the log. A large event is joined first; its offset is that of its first chunk. */
export type LogItem =
  | { readonly kind: 'event'; readonly offset: bigint; readonly bytes: Uint8Array; readonly file?: string }
  /** A frame that its reader could not make sense of. It takes a leaf's place. */
  | { readonly kind: 'corrupt'; readonly offset: bigint; readonly detail: string; readonly file?: string }
  /** Chunks of an event whose rest never came. */
  | { readonly kind: 'unfinished'; readonly event: string };

export interface VerifyLogInput {
  /** The log's name, the origin line of its checkpoints: `sallyport.sessions.v1/0`. Notes of other logs are skipped. */
  readonly log: string;
  /** In log order. */
  readonly items: AsyncIterable<LogItem> | Iterable<LogItem>;
  /** In the order in which they were published. Of a live log, take them before the events: one made in between would look like a cut. */
  readonly checkpoints: AsyncIterable<CheckpointItem> | Iterable<CheckpointItem>;
  readonly keys: { readonly trusted: readonly VerifierKey[]; readonly origin: KeyOrigin };
  /** A checkpoint kept elsewhere: shows a cut of log and checkpoints together. */
  readonly external?: CheckpointItem;
  /** False for a log of plain events (control, leases), which have no chain. */
  readonly chained?: boolean;
  readonly problemsMax?: number;
  readonly sessionLimits?: SessionLimits;
}

/**
 * Is this log what was written (integrity), and is all of it there (completeness)? Needs the log, its checkpoints and the
 * public keys, nothing else (P6). One pass; memory grows with the sessions that are open at once, not with the log.
 * It rejects only when reading does.
 */
export async function verifyLog(input: VerifyLogInput): Promise<VerifyReport> {
  const findings = new Findings(input.problemsMax);
  const tree = new TreeBuilder();
  const sessions = new Sessions(findings, input.keys.trusted, input.sessionLimits);
  const checkpoints = await Checkpoints.over(input.log, input.checkpoints, tree, findings, input.keys.trusted);
  const external = input.external && readExternal(input.log, input.external, checkpoints, findings);
  const compare = async (): Promise<void> => {
    if (checkpoints.due) await checkpoints.compare();
    if (external?.size === tree.size && !external.root.equals(tree.root())) {
      findings.broken('ROOT_MISMATCH', external.place, `the log is not what the checkpoint from outside signed at ${external.size} events`);
    }
  };
  await compare();
  for await (const item of input.items) {
    if (item.kind === 'unfinished') {
      findings.missing('CHUNKS_UNFINISHED', { event: item.event }, 'the event is in pieces and its last ones are not there');
      continue;
    }
    const place: Place = { offset: Number(item.offset), ...(item.file === undefined ? {} : { file: item.file }) };
    if (tree.size === 0 && item.offset !== 0n) {
      findings.missing('LOG_START_MISSING', place, `the log begins at offset ${item.offset}: what stood before is gone`);
    }
    if (item.kind === 'corrupt') {
      findings.broken('FRAME_CORRUPT', place, item.detail);
      tree.append(Buffer.alloc(0));
    } else {
      tree.append(item.bytes);
      if (input.chained === false) plainEvent(item.bytes, place, findings);
      else sessions.event(item.bytes, place);
    }
    await compare();
  }
  await checkpoints.finish();
  missingCheckpoints(checkpoints, external, tree.size, findings);
  const { redelivered, ...counts } = sessions.counts;
  const uncovered = tree.size - Math.max(checkpoints.covered, 0);
  return {
    log: input.log,
    ...findings.verdicts(),
    sessions: counts,
    events: tree.size,
    redelivered,
    checkpoints: { count: checkpoints.count, covered: checkpoints.covered },
    head: { size: tree.size, root: tree.root().toString('base64') },
    uncovered,
    keys: input.keys.origin === 'given' ? 'given' : 'from the directory itself',
    notes: standingNotes(input.keys.origin, uncovered, counts.open.length),
  };
}

type External = NonNullable<ReturnType<Checkpoints['read']>>;

function readExternal(log: string, item: CheckpointItem, checkpoints: Checkpoints, findings: Findings): External | undefined {
  const claim = checkpoints.read(item);
  if (claim && claim.log !== log) {
    findings.broken('CHECKPOINT_MALFORMED', claim.place, `the checkpoint from outside is of another log: ${claim.log}`);
    return undefined;
  }
  return claim;
}

function missingCheckpoints(checkpoints: Checkpoints, external: External | undefined, size: number, findings: Findings): void {
  if (checkpoints.count === 0) {
    findings.missing(
      'CHECKPOINT_MISSING',
      {},
      'there is no checkpoint that a trusted ledger key signed, so nothing shows where the log ended',
    );
  }
  if (!external) return;
  if (external.size > size) {
    findings.missing(
      'LOG_TRUNCATED',
      external.place,
      `the checkpoint from outside covers ${external.size} events and the log ends after ${size}`,
    );
  }
  if (external.size > checkpoints.newest) {
    findings.missing(
      'CHECKPOINTS_TRUNCATED',
      external.place,
      `the checkpoint from outside covers ${external.size} events, the newest one here ${Math.max(checkpoints.newest, 0)}`,
    );
  }
}

function plainEvent(bytes: Uint8Array, place: Place, findings: Findings): void {
  try {
    parseEnvelope(bytes);
  } catch (error) {
    findings.broken('EVENT_MALFORMED', place, (error as Error).message);
  }
}
