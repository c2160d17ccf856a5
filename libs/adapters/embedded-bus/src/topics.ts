import { BusError, topicKind, type TopicKind } from '@sallyport/bus';
import { crc32c, type JournalLimits, openJournal } from '@sallyport/journal';
import fs from 'node:fs/promises';
import { join } from 'node:path';
import { asBusError, JournalPartition } from './journal-partition.js';
import { MemoryPartition, type TransientLimits } from './memory-partition.js';
import type { PartitionLog } from './partition-log.js';

export const PARTITION_NAME = /^\d{1,4}$/;
const TOPIC_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,199}$/;

export interface TopicsOptions {
  readonly directory: string;
  /** Of a record topic that isn't there yet. */
  readonly partitions: number;
  readonly journal: Partial<JournalLimits>;
  readonly transient: TransientLimits;
}

/** The partitions of each topic, opened when first asked for. */
export class Topics {
  readonly #topics = new Map<string, Promise<readonly PartitionLog[]>>();

  constructor(private readonly options: TopicsOptions) {}

  /** Rejects with `BUS_TOPIC`. */
  get(topic: string): Promise<readonly PartitionLog[]> {
    const known = this.#topics.get(topic);
    if (known) return known;
    const opening = this.#open(topic);
    this.#topics.set(topic, opening);
    // What failed may work later: a locked directory, a disk that was full.
    opening.catch(() => this.#topics.delete(topic));
    return opening;
  }

  async close(): Promise<void> {
    for (const opening of this.#topics.values()) {
      for (const log of await opening.catch(() => [])) await log.close();
    }
  }

  async #open(topic: string): Promise<readonly PartitionLog[]> {
    if (kindOf(topic) === 'transient') return [new MemoryPartition(topic, 0, this.options.transient)];
    const directory = topicDirectory(this.options.directory, topic);
    const existing = await partitionsIn(directory);
    // Keys would change their partition with the count, and lose their order: what is there stays.
    const count = existing.length > 0 ? existing.length : this.options.partitions;
    const logs: JournalPartition[] = [];
    try {
      for (let partition = 0; partition < count; partition++) {
        const journal = await openJournal({
          scan: 'tail',
          // A gap in a log that is signed looks like a record that somebody removed.
          denseOffsets: true,
          ...this.options.journal,
          directory: join(directory, String(partition)),
        });
        logs.push(new JournalPartition(topic, partition, journal));
      }
    } catch (error) {
      for (const log of logs) await log.close();
      throw asBusError(error);
    }
    return logs;
  }
}

export function topicDirectory(directory: string, topic: string): string {
  return join(directory, 'topics', topic);
}

/** In order; empty when the topic isn't there. */
export async function partitionsIn(directory: string): Promise<readonly number[]> {
  try {
    const names = await fs.readdir(directory);
    return names
      .filter((name) => PARTITION_NAME.test(name))
      .map(Number)
      .sort((a, b) => a - b);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

function kindOf(topic: string): TopicKind {
  try {
    // The name becomes a directory's.
    if (TOPIC_NAME.test(topic)) return topicKind(topic);
  } catch {
    // Said below.
  }
  throw new BusError('BUS_TOPIC', 'there is no such topic');
}

/** The same key always has the same partition. Without a key it is the first. */
export function partitionOf(key: string | null, count: number): number {
  return key === null || count === 1 ? 0 : crc32c(Buffer.from(key)) % count;
}
