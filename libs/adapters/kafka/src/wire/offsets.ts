import type { Cluster } from '../cluster.js';
import { check } from '../faults.js';

/** What may be asked for instead of a time. */
export const EARLIEST = -2;
export const LATEST = -1;

interface ListOffsetsAnswer {
  readonly responses: readonly {
    readonly partitions: readonly { readonly partition: number; readonly errorCode: number; readonly offset: string }[];
  }[];
}

/** The first offset whose time is not before `timestampMs`, or `EARLIEST`, or `LATEST`; -1 when no record is so new. */
export async function offsetAt(cluster: Cluster, topic: string, partition: number, timestampMs: number): Promise<bigint> {
  const link = await cluster.shared(await cluster.leader(topic, partition));
  const answer = await link.request<ListOffsetsAnswer>(
    'ListOffsets',
    { replicaId: -1, isolationLevel: 0, topics: [{ topic, partitions: [{ partition, timestamp: timestampMs }] }] },
    cluster.settings.limits.requestTimeoutMs,
  );
  const [found] = answer.responses[0]!.partitions;
  if (found!.errorCode !== 0) cluster.forget(topic);
  check(found!.errorCode, `${topic}/${partition}`);
  return BigInt(found!.offset);
}
