import type { Bus, BusRecord, ConsumeOptions, OutgoingRecord } from '@sallyport/bus';
import { TOPICS } from '@sallyport/bus';
import type { SigningKey } from '@sallyport/events';
import { policyRecord, type PublishedPolicy } from './published-policy.js';

/** A revision as it is spelled. */
export const revision = (letter: string): string => letter.repeat(64);

/** A record of a policy whose files are these words; `more` wins. */
export function recordOf(key: SigningKey, number: number, more: Partial<PublishedPolicy> = {}): OutgoingRecord {
  return policyRecord(key, {
    number,
    revision: revision('a'),
    files: { 'policy.wasm': Buffer.from('wasm'), 'manifest.json': Buffer.from('{}') },
    grants: { grants: [] },
    timeMs: 0,
    comment: '',
    ...more,
  });
}

/** As the bus gives it back. */
export function placed({ key, value, headers = {} }: OutgoingRecord, offset = 0n): BusRecord {
  return { topic: TOPICS.policies, partition: 0, offset, timestampMs: 0, key, value: Buffer.from(value), headers };
}

/** One partition in memory: as much of a bus as policies need. */
export function memoryTopic(first = 0n): { readonly bus: Bus; readonly records: BusRecord[] } {
  const records: BusRecord[] = [];
  const context = { commit: async () => undefined, commitSoon: () => undefined };
  let consumer: ConsumeOptions | undefined;
  const bus = {
    async produce(_: string, outgoing: readonly OutgoingRecord[]) {
      const added = outgoing.map((record, at) => placed(record, BigInt(records.length + at)));
      records.push(...added);
      await consumer?.onBatch(added, context);
      return added.map(({ partition, offset }) => ({ partition, offset }));
    },
    ends: async () => [{ partition: 0, first, next: BigInt(records.length) }],
    read: async (_: string, __: number, offset: bigint, max: number) => records.slice(Number(offset), Number(offset) + max),
    async consume(options: ConsumeOptions) {
      consumer = options;
      return { close: async () => undefined };
    },
  };
  return { bus: bus as unknown as Bus, records };
}
