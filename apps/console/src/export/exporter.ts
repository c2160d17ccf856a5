import { type Bus, type PartitionEnds, TOPICS } from '@sallyport/bus';
import { EventError, Joiner, parseEnvelope, type VerifierKey } from '@sallyport/events';
import { buildEvidence, type Evidence, leafHash, logName, parseCheckpoint, ProofTree } from '@sallyport/ledger';
import { ProblemError } from '../http/problem.js';
import type { ConsoleLimits } from '../limits.js';

type ExportLimits = Pick<ConsoleLimits, 'exportMaxEvents' | 'exportMaxBytes' | 'maxExports'>;

export interface Exporter {
  /** @throws ProblemError NOT_FOUND, NOT_COVERED_YET (the next checkpoint comes within a second or two), TOO_LARGE, BUSY */
  export(session: string): Promise<Evidence>;
}

const READ_RECORDS = 500;
const NO_BYTES = Buffer.alloc(0);

interface Leaf {
  readonly bytes: Buffer;
  readonly leafIndex: number;
}

/** Evidence of one session, made from the log itself and not from a read model: its bytes are the record. */
export function exporter(bus: Bus, verifierKeys: () => Promise<readonly VerifierKey[]>, limits: ExportLimits): Exporter {
  let running = 0;
  return {
    async export(session) {
      if (running >= limits.maxExports)
        throw new ProblemError('BUSY', `${limits.maxExports} exports are under way: try again when one is done`);
      running += 1;
      try {
        for (const ends of await bus.ends(TOPICS.sessions)) {
          const found = await readPartition(bus, ends, session, limits);
          if (found.events.length === 0) continue;
          const log = logName(TOPICS.sessions, ends.partition);
          const checkpoint = await newestCheckpoint(bus, log, found.tree.size);
          if (checkpoint === undefined || checkpoint.size <= found.events.at(-1)!.leafIndex)
            throw new ProblemError('NOT_COVERED_YET', 'no checkpoint covers the end of this session yet: try again in a moment');
          return buildEvidence({ events: found.events, tree: found.tree, checkpoint: checkpoint.note, keys: await verifierKeys() });
        }
        throw new ProblemError('NOT_FOUND', 'the log has no such session');
      } finally {
        running -= 1;
      }
    },
  };
}

async function readPartition(
  bus: Bus,
  { partition, first, next }: PartitionEnds,
  session: string,
  limits: ExportLimits,
): Promise<{ readonly tree: ProofTree; readonly events: readonly Leaf[] }> {
  const tree = new ProofTree();
  const joiner = new Joiner();
  const events: Leaf[] = [];
  const mark = Buffer.from(session);
  let total = 0;
  for (let offset = first; offset < next;) {
    const records = await bus.read(TOPICS.sessions, partition, offset, READ_RECORDS);
    if (records.length === 0) break;
    for (const record of records) {
      const joined = tryJoin(joiner, record);
      if (!joined) continue;
      if (tree.size >= limits.exportMaxEvents)
        throw new ProblemError(
          'TOO_LARGE',
          `the log has more than ${limits.exportMaxEvents} events: export from a copy of it with sallyport sessions export`,
        );
      // A quick look spares reading events of other sessions as JSON.
      if (joined.includes(mark) && sessionOf(joined) === session) {
        events.push({ bytes: joined, leafIndex: tree.size });
        total += joined.length;
        if (total > limits.exportMaxBytes) throw new ProblemError('TOO_LARGE', `the session has more than ${limits.exportMaxBytes} bytes`);
      }
      tree.append(leafHash(joined));
    }
    offset = records.at(-1)!.offset + 1n;
  }
  return { tree, events };
}

/** As the checkpointer counts: what can't be joined is an empty leaf. */
function tryJoin(joiner: Joiner, record: Parameters<Joiner['push']>[0]): Buffer | undefined {
  try {
    return joiner.push(record)?.bytes;
  } catch (error) {
    if (error instanceof EventError) return NO_BYTES;
    throw error;
  }
}

function sessionOf(bytes: Buffer): string | undefined {
  try {
    return parseEnvelope(bytes).sessionid;
  } catch {
    return undefined;
  }
}

/** The newest signed head of this log that is not ahead of what was read. */
async function newestCheckpoint(
  bus: Bus,
  log: string,
  treeSize: number,
): Promise<{ readonly note: string; readonly size: number } | undefined> {
  let newest: { readonly note: string; readonly size: number } | undefined;
  for (const { partition, first, next } of await bus.ends(TOPICS.checkpoints)) {
    for (let offset = first; offset < next;) {
      const records = await bus.read(TOPICS.checkpoints, partition, offset, READ_RECORDS);
      if (records.length === 0) break;
      for (const { value } of records) {
        const note = value.toString();
        const size = sizeOf(note, log);
        if (size !== undefined && size <= treeSize && size > (newest?.size ?? -1)) newest = { note, size };
      }
      offset = records.at(-1)!.offset + 1n;
    }
  }
  return newest;
}

function sizeOf(note: string, log: string): number | undefined {
  try {
    const checkpoint = parseCheckpoint(note);
    return checkpoint.log === log ? checkpoint.size : undefined;
  } catch {
    return undefined;
  }
}
