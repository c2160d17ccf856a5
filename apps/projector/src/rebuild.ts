import type { LogEnds, Rebuild } from '@sallyport/adapter-postgres-store';
import type { Bus } from '@sallyport/bus';
import { Assembler, LOG_START } from './assembler.js';
import type { Roster } from '@sallyport/trust';
import { beliefOf } from './belief.js';
import { codeOf, ProjectorError } from './errors.js';

/** All replicas are made to wait once no more than this is missing. */
const SWAP_LAG_RECORDS = 1000n;
const READ_RECORDS = 1000;
/** A log that grows faster than it is read is not run after for ever: then they wait longer. */
const PASSES_MAX = 20;

export interface Rebuilding {
  readonly bus: Bus;
  readonly roster: Roster;
  readonly rebuild: Rebuild;
  readonly topics: readonly string[];
  /** Gives it up: then it rejects with `PROJECTOR_CLOSED`. */
  readonly signal: AbortSignal;
}

/** Makes the read model anew from offset 0 beside the live one, which goes on meanwhile, and puts it in its place. */
export async function rebuildFromLog(rebuilding: Rebuilding): Promise<void> {
  const { rebuild } = rebuilding;
  try {
    const catchUp = follower(rebuilding);
    for (let pass = 1; pass < PASSES_MAX && (await catchUp()).missed > SWAP_LAG_RECORDS; pass += 1);
    await rebuild.swap(async () => (await catchUp()).ends);
  } catch (error) {
    await rebuild.abandon(codeOf(error));
    throw error;
  }
}

interface CaughtUp {
  /** Where the log ended when the reading began: all of it is in. */
  readonly ends: LogEnds;
  /** Records that came while it was read. */
  readonly missed: bigint;
}

function follower({ bus, rebuild, roster, topics, signal }: Rebuilding): () => Promise<CaughtUp> {
  const assemblers = new Map<string, Assembler>();
  const endsOfAll = async () =>
    (await Promise.all(topics.map(async (topic) => (await bus.ends(topic)).map((end) => ({ topic, ...end }))))).flat();

  const readTo = async (topic: string, partition: number, end: bigint): Promise<void> => {
    const key = `${topic}/${partition}`;
    const assembler = assemblers.get(key) ?? new Assembler(LOG_START, (record) => beliefOf(roster, record));
    assemblers.set(key, assembler);
    while (assembler.place.next < end) {
      if (signal.aborted) throw new ProjectorError('PROJECTOR_CLOSED', 'the projector is closed');
      const firstOffset = assembler.place.next;
      const read = await bus.read(topic, partition, firstOffset, READ_RECORDS);
      if (read.length === 0) return;
      const records = read.flatMap((record) => assembler.push(record) ?? []);
      const { next, resume } = assembler.place;
      await rebuild.applyBatch({ topic, partition, records, firstOffset, nextOffset: next, resumeOffset: resume });
    }
  };

  return async () => {
    const ends = await endsOfAll();
    for (const { topic, partition, next } of ends) await readTo(topic, partition, next);
    const now = await endsOfAll();
    const sum = (all: readonly { readonly next: bigint }[]): bigint => all.reduce((total, { next }) => total + next, 0n);
    return { ends, missed: sum(now) - sum(ends) };
  };
}
