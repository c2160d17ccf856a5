import { TOPICS } from '@sallyport/bus';
import type { Bus, BusRecord } from '@sallyport/bus';
import type { VerifierKey } from '@sallyport/events';
import { noteSigner, parseCheckpoint, TreeBuilder } from '@sallyport/ledger';
import type { Checkpoint, Frontier, ParsedCheckpoint } from '@sallyport/ledger';
import type { Place } from './assembler.js';

/** The newest checkpoint of a log that is out, and what is needed to go on from it; without `from` the log is read anew. */
export interface Published {
  readonly checkpoint: ParsedCheckpoint;
  readonly from?: { readonly frontier: Frontier; readonly place: Place };
}

const READ_BACK_RECORDS = 64;

/**
 * Beside the note, in the headers of its record, stands the tree that it signs and where in the log that was. Headers are not signed,
 * and needn't be: a tree with another root than the note's is not used.
 */
export function checkpointHeaders(frontier: Frontier, { next, resume }: Place): Readonly<Record<string, string>> {
  return { frontier: JSON.stringify(frontier), next: String(next), resume: String(resume) };
}

/** Looks for it from the end of the topic. Notes that none of `keys` signed are passed over. */
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
  for (let end = next; end > first;) {
    const start = end - BigInt(READ_BACK_RECORDS) > first ? end - BigInt(READ_BACK_RECORDS) : first;
    const window: BusRecord[] = [];
    for (let offset = start; offset < end;) {
      const read = await bus.read(TOPICS.checkpoints, partition, offset, Number(end - offset));
      const last = read.at(-1);
      if (!last) break;
      window.push(...read.filter((record) => record.offset < end && record.key === log));
      offset = last.offset + 1n;
    }
    const found = window.reverse().flatMap((record) => published(record, log, keys) ?? []);
    if (found[0]) return found[0];
    end = start;
  }
  return undefined;
}

function published({ value, headers }: BusRecord, log: string, keys: readonly VerifierKey[]): Published | undefined {
  try {
    const checkpoint = parseCheckpoint(value.toString('utf8'));
    if (checkpoint.log !== log || !noteSigner(checkpoint.signed, keys)) return undefined;
    const from = goOn(headers, checkpoint);
    return { checkpoint, ...(from ? { from } : {}) };
  } catch {
    return undefined;
  }
}

function goOn(
  { frontier, next, resume }: Readonly<Record<string, string | undefined>>,
  { size, root }: Pick<Checkpoint, 'size' | 'root'>,
): Published['from'] {
  if (frontier === undefined || next === undefined || resume === undefined) return undefined;
  try {
    const saved = JSON.parse(frontier) as Frontier;
    const tree = new TreeBuilder(saved);
    const place = { next: BigInt(next), resume: BigInt(resume) };
    const fits = tree.size === size && tree.root().equals(root) && place.resume >= 0n && place.resume <= place.next;
    return fits ? { frontier: saved, place } : undefined;
  } catch {
    return undefined;
  }
}
