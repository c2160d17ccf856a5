import { type Bus, TOPICS } from '@sallyport/bus';
import type { SigningKey } from '@sallyport/events';
import type { Roster } from '@sallyport/trust';
import { newestPolicy } from './catch-up.js';
import { type LoadPublished, PolicyLine } from './policy-line.js';
import { policyRecord, type PublishedPolicy } from './published-policy.js';
import { readTopic } from './read-topic.js';
import type { Refused } from './refusal.js';

export interface PublishPolicyOptions<Loaded> {
  readonly bus: Pick<Bus, 'read' | 'ends' | 'produce'>;
  readonly roster: Roster;
  /** `publisher/NAME` */
  readonly key: SigningKey;
  readonly load: LoadPublished<Loaded>;
  readonly policy: Pick<PublishedPolicy, 'files' | 'grants' | 'revision' | 'comment'>;
  readonly nowMs: number;
}

export type Publication =
  | { readonly outcome: 'published'; readonly number: number }
  /** This revision is live: nothing was written. */
  | { readonly outcome: 'live-already'; readonly number: number }
  /** It is on the log, and nobody takes it: as a rule somebody else was quicker. */
  | ({ readonly outcome: 'refused'; readonly number: number } & Refused);

/**
 * Publishes under the next number, and reads what the log makes of it.
 * @throws PolicyStoreError POLICY_TOO_LARGE, POLICY_UNPUBLISHABLE
 */
export async function publishPolicy<Loaded>(options: PublishPolicyOptions<Loaded>): Promise<Publication> {
  const { bus, roster, key, load, policy, nowMs } = options;
  const { live, next } = await newestPolicy(bus, roster, load);
  if (live?.revision === policy.revision) return { outcome: 'live-already', number: live.number };
  const number = (live?.number ?? 0) + 1;
  const [placed] = await bus.produce(TOPICS.policies, [policyRecord(key, { ...policy, number, timeMs: nowMs })]);
  const line = new PolicyLine(roster, load, live);
  let refused: Refused | undefined;
  await readTopic(bus, next, (record) => {
    const offered = line.offer(record);
    if (record.offset === placed?.offset && !offered.ok) refused = { reason: offered.reason, detail: offered.detail };
  });
  return refused ? { outcome: 'refused', number, ...refused } : { outcome: 'published', number };
}
