import type { Cluster } from '../cluster.js';
import { check } from '../faults.js';

interface Answer {
  readonly topics: readonly { readonly partitions: readonly { readonly errorCode: number }[] }[];
}

/** As retention does. */
export async function deleteRecordsBefore(cluster: Cluster, topic: string, partition: number, offset: bigint): Promise<void> {
  const { requestTimeoutMs } = cluster.settings.limits;
  const link = await cluster.shared(await cluster.leader(topic, partition));
  const body = { topics: [{ topic, partitions: [{ partition, offset: String(offset) }] }], timeout: requestTimeoutMs };
  const answer = await link.request<Answer>('DeleteRecords', body, requestTimeoutMs);
  check(answer.topics[0]!.partitions[0]!.errorCode, `deleting records of ${topic}`);
}
