import type { StartAt } from '@sallyport/bus';
import type { Cluster } from '../cluster.js';
import { persist } from '../pauses.js';
import { EARLIEST, LATEST, offsetAt } from '../wire/offsets.js';

/** Where a consumer that has no place yet begins. */
export async function startOffset(cluster: Cluster, topic: string, partition: number, start: StartAt): Promise<bigint> {
  if (start.at === 'stored') return start.offsetOf(partition);
  if (start.at === 'offsets' && start.offsets[partition] !== undefined) return start.offsets[partition];
  return persist(cluster.settings.limits.callTimeoutMs, cluster.signal, async () => {
    if (start.at === 'earliest' || start.at === 'offsets') return offsetAt(cluster, topic, partition, EARLIEST);
    // The end first: what comes between the two questions is newer than the time, and must not be passed over.
    const end = await offsetAt(cluster, topic, partition, LATEST);
    if (start.at === 'latest') return end;
    const found = await offsetAt(cluster, topic, partition, start.timestampMs);
    return found < 0n ? end : found;
  });
}
