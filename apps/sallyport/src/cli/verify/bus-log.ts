import { type Bus, pages, type PartitionEnds, TOPICS } from '@sallyport/bus';
import { EventError, Joiner } from '@sallyport/events';
import { type CheckpointItem, type LogItem, logName, parseCheckpoint, verifyLog, type VerifyReport } from '@sallyport/ledger';
import type { TrustedKeys } from './keys.js';

const READ_RECORDS = 500;

export interface BusReport {
  /** One for each partition of the session log. */
  readonly logs: readonly VerifyReport[];
  /** Streams that carry no checkpoints: read, and looked at for damage. */
  readonly unsigned: readonly VerifyReport[];
}

/** Verifies the log where it is, up to where it ended when the reading began. Writes nothing. Rejects when the bus can't be read. */
export async function verifyBus(bus: Bus, keys: TrustedKeys, external: CheckpointItem | undefined): Promise<BusReport> {
  // Checkpoints first: of a log that is being written, a later one would look like a cut.
  const checkpoints: CheckpointItem[] = [];
  for (const ends of await bus.ends(TOPICS.checkpoints)) {
    for await (const page of pages(bus, TOPICS.checkpoints, ends, READ_RECORDS)) {
      for (const { value, offset } of page) checkpoints.push({ note: value.toString(), offset });
    }
  }
  const logs: VerifyReport[] = [];
  for (const ends of await bus.ends(TOPICS.sessions)) {
    const log = logName(TOPICS.sessions, ends.partition);
    const ours = external !== undefined && isOf(external.note, log) ? { external } : {};
    logs.push(await verifyLog({ log, items: items(bus, TOPICS.sessions, ends), checkpoints, keys, ...ours }));
  }
  const unsigned: VerifyReport[] = [];
  for (const topic of [TOPICS.control, TOPICS.leases]) {
    for (const ends of await bus.ends(topic)) {
      const log = logName(topic, ends.partition);
      unsigned.push(await verifyLog({ log, items: items(bus, topic, ends), checkpoints: [], keys, chained: false }));
    }
  }
  return { logs, unsigned };
}

function isOf(note: string, log: string): boolean {
  try {
    return parseCheckpoint(note).log === log;
  } catch {
    return false;
  }
}

/** One partition as the ledger counts it: whole events, and an empty leaf for each record that is none. */
async function* items(bus: Bus, topic: string, ends: PartitionEnds): AsyncGenerator<LogItem, void, undefined> {
  const joiner = new Joiner();
  for await (const page of pages(bus, topic, ends, READ_RECORDS)) {
    for (const { value, headers, offset } of page) {
      try {
        const joined = joiner.push({ value, headers, offset });
        if (joined) yield { kind: 'event', offset: joined.firstOffset, bytes: joined.bytes };
      } catch (error) {
        if (!(error instanceof EventError)) throw error;
        yield { kind: 'corrupt', offset, detail: error.message };
      }
    }
  }
  for (const event of joiner.pending) yield { kind: 'unfinished', event };
}
