import type { Rebuild } from '@sallyport/adapter-postgres-store';
import type { Bus } from '@sallyport/bus';
import { Assembler, LOG_START } from './assembler.js';
import type { Roster } from '@sallyport/trust';
import { beliefOf } from './belief.js';
import { ProjectorError } from './errors.js';
import type { StoreConnection } from './store-connection.js';
import type { Turns } from './turns.js';

/** Live ingest is made to wait once no more than this is missing. */
const SWAP_LAG_RECORDS = 1000n;
const READ_RECORDS = 1000;
/** A log that grows faster than it is read is not run after for ever: then live ingest waits longer. */
const PASSES_MAX = 20;

export interface RebuildPorts {
  readonly bus: Bus;
  readonly stores: StoreConnection;
  readonly turns: Turns;
  readonly roster: Roster;
  readonly topics: readonly string[];
  /** Gives it up: then it rejects with `PROJECTOR_CLOSED`. */
  readonly signal: AbortSignal;
}

/** Makes the read model anew from offset 0 beside the live one, which goes on meanwhile, and puts it in its place. */
export async function rebuildFromLog({ bus, stores, turns, roster, topics, signal }: RebuildPorts): Promise<void> {
  const store = await stores.get();
  const rebuild = await store.beginRebuild();
  try {
    const catchUp = follower({ bus, rebuild, roster, topics, signal });
    for (let pass = 1; pass < PASSES_MAX && (await catchUp()).missed > SWAP_LAG_RECORDS; pass += 1);
    await turns.take(async () => rebuild.swap((await catchUp()).ends));
  } catch (error) {
    await rebuild.abandon();
    throw error;
  }
}

interface CaughtUp {
  /** Where the log ended when the reading began: all of it is in. */
  readonly ends: readonly { readonly topic: string; readonly partition: number; readonly next: bigint }[];
  /** Records that came while it was read. */
  readonly missed: bigint;
}

interface Following extends Pick<RebuildPorts, 'bus' | 'roster' | 'topics' | 'signal'> {
  readonly rebuild: Rebuild;
}

function follower({ bus, rebuild, roster, topics, signal }: Following): () => Promise<CaughtUp> {
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
