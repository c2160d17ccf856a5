import { type Bus, type BusRecord, TOPICS } from '@sallyport/bus';
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
  for (const { partition, first, next } of await bus.ends(TOPICS.checkpoints)) {
    for await (const { value, offset } of records(bus, TOPICS.checkpoints, partition, first, next)) {
      checkpoints.push({ note: value.toString(), offset });
    }
  }
  const logs: VerifyReport[] = [];
  for (const { partition, first, next } of await bus.ends(TOPICS.sessions)) {
    const log = logName(TOPICS.sessions, partition);
    const ours = external !== undefined && isOf(external.note, log) ? { external } : {};
    logs.push(await verifyLog({ log, items: items(bus, TOPICS.sessions, partition, first, next), checkpoints, keys, ...ours }));
  }
  const unsigned: VerifyReport[] = [];
  for (const topic of [TOPICS.control, TOPICS.leases]) {
    for (const { partition, first, next } of await bus.ends(topic)) {
      const log = logName(topic, partition);
      unsigned.push(await verifyLog({ log, items: items(bus, topic, partition, first, next), checkpoints: [], keys, chained: false }));
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

async function* records(bus: Bus, topic: string, partition: number, first: bigint, next: bigint): AsyncGenerator<BusRecord> {
  for (let offset = first; offset < next;) {
    const read = await bus.read(topic, partition, offset, READ_RECORDS);
    const last = read.at(-1);
    if (!last) return;
    for (const record of read) if (record.offset < next) yield record;
    offset = last.offset + 1n;
  }
}

/** One partition as the ledger counts it: whole events, and an empty leaf for each record that is none. */
async function* items(bus: Bus, topic: string, partition: number, first: bigint, next: bigint): AsyncGenerator<LogItem, void, undefined> {
  const joiner = new Joiner();
  for await (const { value, headers, offset } of records(bus, topic, partition, first, next)) {
    try {
      const joined = joiner.push({ value, headers, offset });
      if (joined) yield { kind: 'event', offset: joined.firstOffset, bytes: joined.bytes };
    } catch (error) {
      if (!(error instanceof EventError)) throw error;
      yield { kind: 'corrupt', offset, detail: error.message };
    }
  }
  for (const event of joiner.pending) yield { kind: 'unfinished', event };
}
