import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import { readEmbeddedTopic } from '@sallyport/adapter-embedded-bus';
import { TOPICS } from '@sallyport/bus';
import { EventError, Joiner, parseVerifierKeys, type VerifierKey } from '@sallyport/events';
import { type CheckpointItem, type LogItem, logName, parseCheckpoint, verifyLog, type VerifyReport } from '@sallyport/ledger';
import type { TrustedKeys } from './keys.js';

/** More lost records than this in one gap are not each told: the tree doesn't fit anyway. */
const GAP_MAX_RECORDS = 10_000n;

export interface DataDirectoryReport {
  /** One for each partition of the session log. */
  readonly logs: readonly VerifyReport[];
  /** Streams that carry no signatures: read, and looked at for damage. */
  readonly unsigned: readonly VerifyReport[];
  /** Bytes of an unfinished write at the end of a file: what a kill leaves, or a copy of a log that is being written. */
  readonly torn: readonly string[];
}

/** Where the embedded log is in a data directory, or undefined. A copy of the `bus` directory alone does too. */
export function busDirectory(path: string): string | undefined {
  return [join(path, 'bus'), path].find((directory) => existsSync(join(directory, 'topics')));
}

/** The verifier keys that lie beside the log, of those that sign the record. */
export function directoryKeys(path: string): readonly VerifierKey[] {
  const directory = join(path, 'keys');
  if (!existsSync(directory) || !statSync(directory).isDirectory()) return [];
  return readdirSync(directory)
    .filter((name) => name.endsWith('.pub'))
    .sort()
    .flatMap((name) => parseVerifierKeys(readFileSync(join(directory, name), 'utf8')))
    .filter(({ name }) => /^(edge|ledger)\//.test(name));
}

/** Verifies the embedded log of a data directory or a copy of one. Changes and locks nothing. */
export async function verifyDataDirectory(
  path: string,
  bus: string,
  keys: TrustedKeys,
  external: CheckpointItem | undefined,
): Promise<DataDirectoryReport> {
  const torn: string[] = [];
  // Checkpoints first: of a log that is being written, a later one would look like a cut.
  const checkpoints = await readCheckpoints(path, bus, torn);
  const logs: VerifyReport[] = [];
  for (const partition of partitionsOf(bus, TOPICS.sessions, checkpoints)) {
    const log = logName(TOPICS.sessions, partition);
    const ours = external !== undefined && logOf(external.note) === log ? { external } : {};
    logs.push(await verifyLog({ log, items: items(path, bus, TOPICS.sessions, partition, torn), checkpoints, keys, ...ours }));
  }
  const unsigned: VerifyReport[] = [];
  for (const topic of [TOPICS.control, TOPICS.leases]) {
    for (const partition of partitionsOf(bus, topic, [])) {
      unsigned.push(
        await verifyLog({
          log: logName(topic, partition),
          items: items(path, bus, topic, partition, torn),
          checkpoints: [],
          keys,
          chained: false,
        }),
      );
    }
  }
  return { logs, unsigned, torn };
}

async function readCheckpoints(path: string, bus: string, torn: string[]): Promise<readonly CheckpointItem[]> {
  const found: CheckpointItem[] = [];
  for await (const one of readEmbeddedTopic(bus, TOPICS.checkpoints)) {
    const file = relative(path, join(one.directory, one.file));
    if (one.kind === 'record') found.push({ note: one.record.value.toString(), offset: one.record.offset, file });
    else if (one.kind === 'torn') torn.push(file);
    // Read as a checkpoint that is none.
    else found.push({ note: '', offset: one.offset, file });
  }
  return found;
}

/** Those that are there, and those that a checkpoint says there should be. */
function partitionsOf(bus: string, topic: string, checkpoints: readonly CheckpointItem[]): readonly number[] {
  const directory = join(bus, 'topics', topic);
  const there = existsSync(directory) ? readdirSync(directory).filter((name) => /^\d{1,4}$/.test(name)) : [];
  const signed = checkpoints.flatMap(({ note }) => {
    const log = logOf(note);
    return log?.startsWith(`${topic}/`) ? [log.slice(topic.length + 1)] : [];
  });
  return [...new Set([...there, ...signed].map(Number))].sort((a, b) => a - b);
}

function logOf(note: string): string | undefined {
  try {
    return parseCheckpoint(note).log;
  } catch {
    return undefined;
  }
}

/** One partition as the ledger counts it: whole events, and an empty leaf for each record that is none. */
async function* items(path: string, bus: string, topic: string, wanted: number, torn: string[]): AsyncGenerator<LogItem, void, undefined> {
  const joiner = new Joiner();
  let next: bigint | undefined;
  for await (const found of readEmbeddedTopic(bus, topic)) {
    if (found.partition !== wanted) continue;
    const file = relative(path, join(found.directory, found.file));
    if (found.kind === 'torn') {
      torn.push(file);
      continue;
    }
    if (found.kind !== 'record') {
      yield { kind: 'corrupt', offset: found.offset, file, detail: `${found.reason} (byte ${found.position} of the file)` };
      next = found.offset + 1n;
      continue;
    }
    const { offset } = found.record;
    // Damage may have swallowed more than one record.
    for (let lost = next ?? offset; lost < offset && offset - lost < GAP_MAX_RECORDS; lost += 1n) {
      yield { kind: 'corrupt', offset: lost, file, detail: 'the record is not there' };
    }
    next = offset + 1n;
    const { value, headers } = found.record;
    try {
      const joined = joiner.push({ value, headers, offset });
      if (joined) yield { kind: 'event', offset: joined.firstOffset, bytes: joined.bytes, file };
    } catch (error) {
      if (!(error instanceof EventError)) throw error;
      yield { kind: 'corrupt', offset, file, detail: error.message };
    }
  }
  for (const event of joiner.pending) yield { kind: 'unfinished', event };
}
