import { BusError, type BatchContext, type ConsumeOptions, type StartAt } from '@sallyport/bus';
import type { Cluster } from '../cluster.js';
import { asBusError, KafkaFault } from '../faults.js';
import { pause, persist, within } from '../pauses.js';
import { Commits } from './commits.js';
import { commitOffsets, committedOffsets, type Member, NO_MEMBER } from './group-requests.js';
import { Membership } from './membership.js';
import { PartitionReader, type ReaderOptions } from './partition-reader.js';
import { startOffset } from './start-offsets.js';

type Reading = Pick<ReaderOptions, 'maxBatchRecords' | 'mayForget'>;

/** Joins the group. Resolves, with how to leave, when this member has its first partitions and stands at their places. */
export async function consumeInGroup(
  cluster: Cluster,
  options: ConsumeOptions,
  group: string,
  reading: Reading,
): Promise<() => Promise<void>> {
  const { topic, start } = options;
  if (start.at === 'offsets') await setOffsets(cluster, group, topic, start.offsets);
  const { callTimeoutMs, rebalanceTimeoutMs } = cluster.settings.limits;
  const consumption = new GroupConsumption(cluster, options, group, reading);
  const waitMs = callTimeoutMs + rebalanceTimeoutMs;
  try {
    await within(waitMs, consumption.positioned, () => new BusError('BUS_FAILED', `no place in group ${group} within ${waitMs} ms`));
  } catch (error) {
    await consumption.leave();
    throw error;
  }
  return () => consumption.leave();
}

class GroupConsumption {
  readonly #membership: Membership;
  #readers: PartitionReader[] = [];
  #commits: Commits | undefined;
  /** Counts how often the partitions were let go of. */
  #revocations = 0;
  /** The first assignment; rejects with what stands in its way for good. */
  readonly positioned: Promise<void>;
  #isPositioned: () => void = () => undefined;
  #cannotBe: (error: unknown) => void = () => undefined;

  constructor(
    private readonly cluster: Cluster,
    private readonly options: ConsumeOptions,
    private readonly group: string,
    private readonly reading: Reading,
  ) {
    this.positioned = new Promise((resolve, reject) => {
      this.#isPositioned = resolve;
      this.#cannotBe = reject;
    });
    this.positioned.catch(() => undefined);
    this.#membership = new Membership(cluster, {
      group,
      topic: options.topic,
      assign: (partitions, member) => this.#assign(partitions, member),
      revoke: (lost) => this.#revoke(lost),
      onError: (error) => this.#report(error),
    });
  }

  leave(): Promise<void> {
    return this.#membership.leave();
  }

  #report(error: unknown): void {
    if (!(error instanceof KafkaFault && error.passes)) this.#cannotBe(asBusError(error));
    this.options.onError?.(asBusError(error));
  }

  async #assign(partitions: readonly number[], member: Member): Promise<void> {
    const { topic, start } = this.options;
    const revocations = this.#revocations;
    const places = await this.#places(partitions, member);
    // Let go of before it stood at its places: they are somebody else's.
    if (this.#revocations !== revocations) return;
    const commits = new Commits(this.cluster, { group: this.group, topic, member }, (error) => this.options.onError?.(asBusError(error)));
    this.#commits = commits;
    this.#readers = partitions.map(
      (partition) =>
        new PartitionReader(this.cluster, {
          ...this.reading,
          topic,
          partition,
          position: start.at === 'stored' ? () => start.offsetOf(partition) : places.get(partition)!,
          onBatch: (batch, next) => this.options.onBatch(batch, contextOf(commits, partition, next, start)),
          onError: (error) => this.options.onError?.(error),
        }),
    );
    this.#isPositioned();
  }

  /** Where each partition goes on. What the start means is decided once: a batch that was delivered and not committed must come again. */
  async #places(partitions: readonly number[], member: Member): Promise<Map<number, bigint>> {
    const { topic, start } = this.options;
    const { callTimeoutMs } = this.cluster.settings.limits;
    if (start.at === 'stored' || partitions.length === 0) return new Map();
    const known = await persist(callTimeoutMs, this.cluster.signal, () => committedOffsets(this.cluster, this.group, topic, partitions));
    const begun = new Map<number, bigint>();
    await Promise.all(
      partitions
        .filter((partition) => !known.has(partition))
        .map(async (partition) => void begun.set(partition, await startOffset(this.cluster, topic, partition, start))),
    );
    if (begun.size > 0)
      await persist(callTimeoutMs, this.cluster.signal, () => commitOffsets(this.cluster, this.group, topic, begun, member));
    return new Map([...known, ...begun]);
  }

  async #revoke(lost: boolean): Promise<void> {
    this.#revocations += 1;
    const readers = this.#readers;
    this.#readers = [];
    await Promise.all(readers.map((reader) => reader.stop()));
    if (!lost) await this.#commits?.flush().catch((error: unknown) => this.options.onError?.(asBusError(error)));
    this.#commits?.stop();
    this.#commits = undefined;
  }
}

function contextOf(commits: Commits, partition: number, next: bigint, start: StartAt): BatchContext {
  if (start.at === 'stored') return { commit: async () => undefined, commitSoon: () => undefined };
  return {
    commit: () =>
      commits.now(partition, next).catch((error: unknown) => {
        throw asBusError(error);
      }),
    commitSoon: () => commits.soon(partition, next),
  };
}

/** What a broker says to a commit from outside while the group has members. */
const OCCUPIED = new Set(['UNKNOWN_MEMBER_ID', 'ILLEGAL_GENERATION', 'REBALANCE_IN_PROGRESS', 'NON_EMPTY_GROUP']);
const ASK_AGAIN_MS = 500;

/** Before joining, as nobody else may be there. A member that was killed counts until its session ends, so that is waited for. */
async function setOffsets(cluster: Cluster, group: string, topic: string, offsets: Readonly<Record<number, bigint>>): Promise<void> {
  const { callTimeoutMs, sessionTimeoutMs } = cluster.settings.limits;
  const places = new Map(Object.entries(offsets).map(([partition, offset]) => [Number(partition), offset]));
  if (places.size === 0) return;
  for (const until = Date.now() + 2 * sessionTimeoutMs; ; await pause(ASK_AGAIN_MS, cluster.signal)) {
    try {
      return await persist(callTimeoutMs, cluster.signal, () => commitOffsets(cluster, group, topic, places, NO_MEMBER));
    } catch (error) {
      if (!(error instanceof KafkaFault) || !OCCUPIED.has(error.code)) throw error;
      if (Date.now() > until)
        throw new BusError('BUS_OPTION', `group ${group} has other members: offsets can not be set`, { cause: error });
    }
  }
}
