import { openJournal, type Journal } from '@sallyport/journal';
import { asBusError } from './journal-partition.js';

const READ_RECORDS = 1000;

/** Where each group goes on: a journal of commits whose segments begin with the whole table, so that old ones can go. */
export class CommittedOffsets {
  /** Of topics that begin anew at a restart. */
  readonly #passing = new Map<string, bigint>();
  readonly #offsets: Map<string, bigint>;

  private constructor(
    private readonly journal: Journal,
    offsets: Map<string, bigint>,
  ) {
    this.#offsets = offsets;
  }

  static async open(directory: string): Promise<CommittedOffsets> {
    const offsets = new Map<string, bigint>();
    const segmentHead = (): Buffer => Buffer.from(JSON.stringify([...offsets].map(([at, offset]) => [at, String(offset)])));
    const limits = { segmentBytes: 2 ** 20, maxBytes: 64 * 2 ** 20, reserveBytes: 0, maxAgeMs: Infinity };
    const journal = await openJournal({ directory, segmentHead, ...limits });
    const { head, headOffset } = journal.recovered;
    if (head.length > 0) for (const [at, offset] of JSON.parse(head.toString()) as [string, string][]) offsets.set(at, BigInt(offset));
    for (let from = headOffset; ;) {
      const records = await journal.read(from, { maxRecords: READ_RECORDS });
      if (records.length === 0) break;
      for (const { key, value } of records) offsets.set(key!, BigInt(value.toString()));
      from = records.at(-1)!.offset + 1n;
    }
    return new CommittedOffsets(journal, offsets);
  }

  get(group: string, topic: string, partition: number): bigint | undefined {
    const key = place(group, topic, partition);
    return this.#offsets.get(key) ?? this.#passing.get(key);
  }

  setUntilRestart(group: string, topic: string, partition: number, next: bigint): void {
    this.#passing.set(place(group, topic, partition), next);
  }

  /** Durable when it resolves. */
  async set(group: string, topic: string, partition: number, next: bigint): Promise<void> {
    const key = place(group, topic, partition);
    try {
      const offset = this.journal.append({ key, value: Buffer.from(String(next)) });
      // At once: the head of a segment that begins before the sync must have it. What a failed commit leaves here was handled all the same.
      this.#offsets.set(key, next);
      await this.journal.synced(offset);
    } catch (error) {
      throw asBusError(error);
    }
    // Everything before the running segment is in its head.
    void this.#forgetOldSegments();
  }

  close(): Promise<void> {
    return this.journal.close();
  }

  async #forgetOldSegments(): Promise<void> {
    const running = this.journal.lastSegmentOffset;
    if (running > this.journal.firstOffset) await this.journal.forgetBefore(running).catch(() => undefined);
  }
}

function place(group: string, topic: string, partition: number): string {
  return JSON.stringify([group, topic, partition]);
}
