import type { VerifierKey } from '@sallyport/events';
import { formatVerifierKeys } from '@sallyport/events';
import { parseCheckpoint } from './checkpoint.js';
import { LedgerError } from './ledger-error.js';
import { noteSigner } from './note.js';
import { HASH_BYTES, leafHash } from './tree/hashing.js';
import type { ProofTree } from './tree/proof-tree.js';
import { verifyInclusion } from './tree/verify-proof.js';
import { Findings, standingNotes } from './verify/report.js';
import type { KeyOrigin, VerifyReport } from './verify/report.js';
import { LEDGER_KEY_PREFIX, Sessions } from './verify/sessions.js';

/** What `sessions export` writes, by file name. It proves itself with the public keys alone, without the log. */
export interface Evidence {
  /** Events as written, one a line. */
  readonly 'events.jsonl': Buffer;
  /** A signed tree head that covers all of them. */
  readonly checkpoint: string;
  /** {@link InclusionFile} as JSON. */
  readonly 'inclusion.json': string;
  /** Note verifier keys, one a line: for convenience, not for trust. */
  readonly keys: string;
}

export interface InclusionFile {
  readonly log: string;
  readonly treeSize: number;
  /** One for each line of `events.jsonl`, in its order. */
  readonly events: readonly { readonly leafIndex: number; readonly hashes: readonly string[] }[];
}

const LINE_FEED = 0x0a;

export interface BuildEvidenceInput {
  /** In log order; `leafIndex` counts the events of the log, not its records. */
  readonly events: readonly { readonly bytes: Buffer; readonly leafIndex: number }[];
  /** All leaves up to the checkpoint's size, or more. */
  readonly tree: ProofTree;
  readonly checkpoint: string;
  readonly keys: readonly Pick<VerifierKey, 'name' | 'publicKey'>[];
}

/** Throws `LEDGER_EVIDENCE_MALFORMED` when the tree, the checkpoint and the events are not of one log. */
export function buildEvidence({ events, tree, checkpoint, keys }: BuildEvidenceInput): Evidence {
  const head = parseCheckpoint(checkpoint);
  if (head.size > tree.size || !tree.root(head.size).equals(head.root)) throw malformed('the checkpoint is not of this tree');
  const inclusion: InclusionFile = {
    log: head.log,
    treeSize: head.size,
    events: events.map(({ bytes, leafIndex }) => {
      if (bytes.includes(LINE_FEED)) throw malformed(`the event at leaf ${leafIndex} has a line feed`);
      if (leafIndex >= head.size) throw malformed(`the checkpoint does not reach the event at leaf ${leafIndex}`);
      const proof = tree.inclusionProof(leafIndex, head.size);
      if (!verifyInclusion({ index: leafIndex, size: head.size, leafHash: leafHash(bytes), proof, root: head.root })) {
        throw malformed(`the event is not the one at leaf ${leafIndex}`);
      }
      return { leafIndex, hashes: proof.map((hash) => hash.toString('base64')) };
    }),
  };
  return {
    'events.jsonl': Buffer.concat(events.flatMap(({ bytes }) => [bytes, Buffer.of(LINE_FEED)])),
    checkpoint,
    'inclusion.json': `${JSON.stringify(inclusion, null, 1)}\n`,
    keys: formatVerifierKeys(keys),
  };
}

/** The same two verdicts as for a log, over what an export holds. Files that can't be read are problems, not exceptions. */
export function verifyEvidence(
  evidence: Omit<Evidence, 'keys'>,
  keys: { readonly trusted: readonly VerifierKey[]; readonly origin: KeyOrigin },
): VerifyReport {
  const findings = new Findings();
  const sessions = new Sessions(findings, keys.trusted);
  const events = lines(evidence['events.jsonl'], findings);
  const head = readHead(evidence.checkpoint, keys.trusted, findings);
  const inclusion = readInclusion(evidence['inclusion.json'], findings);
  if (head && inclusion && (inclusion.treeSize !== head.size || inclusion.log !== head.log)) {
    findings.broken('INCLUSION_MISMATCH', { file: 'inclusion.json' }, 'the proofs are not for the tree that the checkpoint signs');
  }
  if (inclusion && inclusion.events.length !== events.length) {
    findings.broken(
      'INCLUSION_MISMATCH',
      { file: 'inclusion.json' },
      `there are ${inclusion.events.length} proofs for ${events.length} events`,
    );
  }
  let [last, proven] = [-1, 0];
  events.forEach((bytes, line) => {
    const place = { offset: line, file: 'events.jsonl' };
    sessions.event(bytes, place);
    const proof = inclusion?.events[line];
    if (!proof || !head) return;
    const hashes = proof.hashes.map((hash) => Buffer.from(hash, 'base64'));
    if (!verifyInclusion({ index: proof.leafIndex, size: head.size, leafHash: leafHash(bytes), proof: hashes, root: head.root })) {
      findings.broken('INCLUSION_MISMATCH', place, `the event is not the one that was signed as number ${proof.leafIndex} of the log`);
    } else if (proof.leafIndex <= last) {
      findings.broken('INCLUSION_MISMATCH', place, 'the event stands behind one that follows it in the log');
    } else {
      proven += 1;
    }
    last = Math.max(last, proof.leafIndex);
  });
  if (events.length === 0) findings.missing('LOG_TRUNCATED', { file: 'events.jsonl' }, 'the export has no events');
  const { redelivered, ...counts } = sessions.counts;
  for (const session of counts.open) {
    findings.missing(
      'LOG_TRUNCATED',
      { session, file: 'events.jsonl' },
      'the session has no closing event here: it was open at the export, or its end was cut off',
    );
  }
  const uncovered = events.length - proven;
  return {
    log: head?.log ?? inclusion?.log ?? '',
    ...findings.verdicts(),
    sessions: counts,
    events: events.length,
    redelivered,
    checkpoints: { count: head ? 1 : 0, covered: head?.size ?? -1 },
    head: { size: head?.size ?? 0, root: head?.root.toString('base64') ?? '' },
    uncovered,
    keys: keys.origin === 'given' ? 'given' : 'from the directory itself',
    notes: standingNotes(keys.origin, 0, counts.open.length),
  };
}

function lines(file: Buffer, findings: Findings): readonly Buffer[] {
  const events: Buffer[] = [];
  let begin = 0;
  for (let end = file.indexOf(LINE_FEED); end >= 0; end = file.indexOf(LINE_FEED, begin)) {
    events.push(file.subarray(begin, end));
    begin = end + 1;
  }
  if (begin < file.length) {
    findings.broken('EVENT_MALFORMED', { offset: events.length, file: 'events.jsonl' }, 'the last line has no end');
    events.push(file.subarray(begin));
  }
  return events;
}

function readHead(note: string, trusted: readonly VerifierKey[], findings: Findings): ReturnType<typeof parseCheckpoint> | undefined {
  try {
    const checkpoint = parseCheckpoint(note);
    const ledgers = trusted.filter((key) => key.name.startsWith(LEDGER_KEY_PREFIX));
    if (noteSigner(checkpoint.signed, ledgers)) return checkpoint;
    findings.broken('CHECKPOINT_SIGNATURE', { file: 'checkpoint' }, 'the checkpoint is not signed by a trusted ledger key');
  } catch (error) {
    findings.broken('CHECKPOINT_MALFORMED', { file: 'checkpoint' }, (error as Error).message);
  }
  return undefined;
}

function readInclusion(text: string, findings: Findings): InclusionFile | undefined {
  try {
    const file = JSON.parse(text) as InclusionFile;
    const fits =
      typeof file.log === 'string' &&
      Number.isSafeInteger(file.treeSize) &&
      file.events.every(
        ({ leafIndex, hashes }) =>
          Number.isSafeInteger(leafIndex) && hashes.every((hash) => Buffer.from(hash, 'base64').length === HASH_BYTES),
      );
    if (fits) return file;
  } catch {
    // Reported below, as any other shape that is not ours.
  }
  findings.broken('INCLUSION_MALFORMED', { file: 'inclusion.json' }, 'the proofs can not be read');
  return undefined;
}

function malformed(message: string): LedgerError {
  return new LedgerError('LEDGER_EVIDENCE_MALFORMED', message);
}
