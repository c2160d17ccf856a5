import { pages, TOPICS } from '@sallyport/bus';
import type { Bus, BusRecord } from '@sallyport/bus';
import type { SigningKey, VerifierKey } from '@sallyport/events';
import { noteSigner, parseCheckpoint, TreeBuilder } from '@sallyport/ledger';
import type { Checkpoint, Frontier, ParsedCheckpoint } from '@sallyport/ledger';
import type { Place } from './assembler.js';

/** The newest checkpoint of a log that is out, and what is needed to go on from it; without `from` the log is read anew. */
export interface Published {
  readonly checkpoint: ParsedCheckpoint;
  readonly signer: VerifierKey;
  readonly from?: { readonly frontier: Frontier; readonly place: Place };
}

/** Looked at together, from the end of the topic: more each time, since a quiet log's newest may be far back among those of busy ones. */
const WINDOW_MIN_RECORDS = 64;
const WINDOW_MAX_RECORDS = 4096;

/**
 * Beside the note, in the headers of its record, stands the tree that it signs and where in the log that was. A tree with another root
 * than the note's is not used; the place is signed, since going on from a wrong one would sign a log that isn't.
 */
export function checkpointHeaders(
  key: SigningKey,
  { note, frontier, place }: { readonly note: string; readonly frontier: Frontier; readonly place: Place },
): Readonly<Record<string, string>> {
  const headers = { frontier: JSON.stringify(frontier), next: String(place.next), resume: String(place.resume) };
  return { ...headers, signature: key.sign(statement(note, headers)).toString('base64') };
}

type PlaceHeaders = Readonly<Record<'frontier' | 'next' | 'resume', string>>;

function statement(note: string, { frontier, next, resume }: PlaceHeaders): Buffer {
  return Buffer.from(`sallyport.checkpoint-place.v1\n${JSON.stringify([note, frontier, next, resume])}`);
}

/**
 * Looks for it from the end of the topic. Notes that none of `keys` signed are passed over. Two who signed at the same time, while a
 * partition moved, may have left a smaller one behind a larger: the largest of those that stand together is taken.
 */
export async function findPublished(bus: Bus, log: string, keys: readonly VerifierKey[]): Promise<Published | undefined> {
  let newest: Published | undefined;
  for (const { partition, first, next } of await bus.ends(TOPICS.checkpoints)) {
    const found = await findIn(bus, { partition, first, next }, log, keys);
    if (found && found.checkpoint.size > (newest?.checkpoint.size ?? -1)) newest = found;
  }
  return newest;
}

async function findIn(
  bus: Bus,
  { partition, first, next }: { readonly partition: number; readonly first: bigint; readonly next: bigint },
  log: string,
  keys: readonly VerifierKey[],
): Promise<Published | undefined> {
  let largest: Published | undefined;
  let windowRecords = WINDOW_MIN_RECORDS;
  for (let end = next; end > first;) {
    const start = end - BigInt(windowRecords) > first ? end - BigInt(windowRecords) : first;
    const before = largest;
    for await (const page of pages(bus, TOPICS.checkpoints, { partition, first: start, next: end }, windowRecords)) {
      for (const record of page) {
        const found = record.key === log ? published(record, log, keys) : undefined;
        // Of copies the last one, whose place may be readable where the first one's isn't.
        if (found && found.checkpoint.size >= (largest?.checkpoint.size ?? -1)) largest = better(largest, found);
      }
    }
    // One window more than the one that has it.
    if (before) return largest;
    end = start;
    windowRecords = Math.min(windowRecords * 2, WINDOW_MAX_RECORDS);
  }
  return largest;
}

function better(one: Published | undefined, other: Published): Published {
  return one?.from && one.checkpoint.size === other.checkpoint.size ? one : other;
}

/** What a record of the topic says of a log; undefined for what nobody of `keys` signed. */
export function published({ value, headers }: BusRecord, log: string, keys: readonly VerifierKey[]): Published | undefined {
  try {
    const note = value.toString('utf8');
    const checkpoint = parseCheckpoint(note);
    const signer = checkpoint.log === log ? noteSigner(checkpoint.signed, keys) : undefined;
    if (!signer) return undefined;
    const from = goOn(headers, { ...checkpoint, note }, signer);
    return { checkpoint, signer, ...(from ? { from } : {}) };
  } catch {
    return undefined;
  }
}

function goOn(
  { frontier, next, resume, signature }: Readonly<Record<string, string | undefined>>,
  { size, root, note }: Pick<Checkpoint, 'size' | 'root' | 'note'>,
  signer: VerifierKey,
): Published['from'] {
  if (frontier === undefined || next === undefined || resume === undefined || signature === undefined) return undefined;
  try {
    if (!signer.verify(statement(note, { frontier, next, resume }), Buffer.from(signature, 'base64'))) return undefined;
    const saved = JSON.parse(frontier) as Frontier;
    const tree = new TreeBuilder(saved);
    const place = { next: BigInt(next), resume: BigInt(resume) };
    const fits = tree.size === size && tree.root().equals(root) && place.resume >= 0n && place.resume <= place.next;
    return fits ? { frontier: saved, place } : undefined;
  } catch {
    return undefined;
  }
}
