import { BusError, type ConsumeOptions } from '@sallyport/bus';
import type { Cluster } from '../cluster.js';
import { PartitionReader, type ReaderOptions } from './partition-reader.js';
import { startOffset } from './start-offsets.js';

type Reading = Pick<ReaderOptions, 'maxBatchRecords' | 'mayForget'>;

export interface Alone {
  readonly starts: ReadonlyMap<number, bigint>;
  stop(): Promise<void>;
}

/** Reads every partition, or the named ones. Resolves when it stands at their places. */
export async function consumeAlone(cluster: Cluster, options: ConsumeOptions, reading: Reading): Promise<Alone> {
  const { topic, start } = options;
  const count = (await cluster.refresh(topic)).leaders.length;
  const wanted = options.partitions ?? Array.from({ length: count }, (_, partition) => partition);
  const wrong = wanted.find((partition) => !(Number.isInteger(partition) && partition >= 0 && partition < count));
  if (wrong !== undefined) throw new BusError('BUS_PARTITION', `${topic} has no partition ${wrong}`);
  const context = {
    commit: () => Promise.reject(new BusError('BUS_NO_GROUP', 'a commit needs a group')),
    commitSoon: () => undefined,
  };
  const read = (partition: number, position: bigint): PartitionReader =>
    new PartitionReader(cluster, {
      ...reading,
      topic,
      partition,
      position,
      onBatch: (batch) => options.onBatch(batch, context),
      onError: (error) => options.onError?.(error),
    });
  const places = await Promise.all(wanted.map((partition) => startOffset(cluster, topic, partition, start)));
  const readers = wanted.map((partition, at) => read(partition, places[at]!));
  const watching = options.partitions
    ? undefined
    : setInterval(() => {
        // Partitions that are added later are read from their first record.
        const now = cluster.known(topic)?.leaders.length ?? 0;
        while (readers.length < now) readers.push(read(readers.length, 0n));
        cluster.shape(topic).catch(() => undefined);
      }, cluster.settings.limits.metadataMaxAgeMs);
  return {
    starts: new Map(wanted.map((partition, at) => [partition, places[at]!])),
    async stop() {
      clearInterval(watching);
      await Promise.all(readers.map((reader) => reader.stop()));
    },
  };
}
