import type { StartAt } from '@sallyport/bus';
import { PartitionReader, type ReaderOptions } from './partition-reader.js';
import type { PartitionLog } from './partition-log.js';

export interface GroupMember {
  readonly options: ReaderOptions;
  readonly start: StartAt;
}

export interface GroupStore {
  committed(partition: number): bigint | undefined;
  commit(partition: number, next: bigint): Promise<void>;
  /** Where a member that has no committed offset begins. */
  startOf(log: PartitionLog, start: StartAt): Promise<bigint>;
}

/** The members that share one topic's partitions. A partition moves only after its running batch is done. */
export class Group {
  readonly #members: GroupMember[] = [];
  readonly #owners = new Map<number, { readonly member: GroupMember; readonly reader: PartitionReader }>();
  #changing: Promise<void> = Promise.resolve();

  constructor(
    private readonly logs: readonly PartitionLog[],
    private readonly store: GroupStore,
  ) {}

  get isEmpty(): boolean {
    return this.#members.length === 0;
  }

  join(member: GroupMember): Promise<void> {
    this.#members.push(member);
    return this.#change(async () => {
      // Given offsets win over committed ones, and what `latest` means is decided once: a batch that was delivered and not committed must come
      // again, whoever gets the partition next.
      for (const log of member.start.at === 'stored' ? [] : this.logs) {
        const given = member.start.at === 'offsets' ? member.start.offsets[log.partition] : undefined;
        if (given === undefined && this.store.committed(log.partition) !== undefined) continue;
        if (given !== undefined) await this.#release(log.partition);
        await this.store.commit(log.partition, given ?? (await this.store.startOf(log, member.start)));
      }
      await this.#share();
    });
  }

  leave(member: GroupMember): Promise<void> {
    const at = this.#members.indexOf(member);
    if (at >= 0) this.#members.splice(at, 1);
    return this.#change(() => this.#share());
  }

  #change(work: () => Promise<void>): Promise<void> {
    const done = this.#changing.then(work);
    this.#changing = done.catch(() => undefined);
    return done;
  }

  async #share(): Promise<void> {
    const moving = this.logs.map((log, at) => ({ log, member: this.#members[at % this.#members.length] }));
    const leaving = moving.filter(({ log, member }) => this.#owners.get(log.partition)?.member !== member);
    await Promise.all(leaving.map(({ log }) => this.#release(log.partition)));
    for (const { log, member } of moving) {
      if (!member || this.#owners.has(log.partition)) continue;
      const { start } = member;
      // Asked by the reader: who can't tell its place now must not keep the others from theirs.
      const place = start.at === 'stored' ? () => this.store.startOf(log, start) : (this.store.committed(log.partition) ?? log.first);
      const reader = new PartitionReader(log, place, member.options);
      this.#owners.set(log.partition, { member, reader });
    }
  }

  async #release(partition: number): Promise<void> {
    const owner = this.#owners.get(partition);
    if (!owner) return;
    await owner.reader.stop();
    this.#owners.delete(partition);
  }
}
