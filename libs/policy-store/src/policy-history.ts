import type { Bus } from '@sallyport/bus';
import type { Roster } from '@sallyport/trust';
import { type Activated, type LoadPublished, PolicyLine } from './policy-line.js';
import type { PublishedPolicy } from './published-policy.js';
import { readTopic } from './read-topic.js';
import type { PolicyRefusal } from './refusal.js';

/** One record of the topic, and what became of it. */
export interface PolicyVersion {
  readonly offset: bigint;
  readonly state: 'live' | 'replaced' | 'refused';
  /** When it was refused. */
  readonly reason?: PolicyRefusal;
  readonly detail?: string;
  /** When it could be read as one: of what isn't signed nothing is believed. */
  readonly policy?: Omit<PublishedPolicy, 'files' | 'grants'>;
}

export interface PolicyHistory<Loaded> {
  /** Oldest first. */
  readonly versions: readonly PolicyVersion[];
  readonly live: Activated<Loaded> | undefined;
}

/** All that is on the topic now, judged as every service judges it. */
export async function policyHistory<Loaded>(
  bus: Pick<Bus, 'read' | 'ends'>,
  roster: Roster,
  load: LoadPublished<Loaded>,
): Promise<PolicyHistory<Loaded>> {
  const line = new PolicyLine(roster, load);
  const versions: PolicyVersion[] = [];
  await readTopic(bus, 0n, (record) => {
    const { offset } = record;
    const offered = line.offer(record);
    if (offered.ok) {
      const { loaded: _, ...policy } = offered.activated;
      versions.push({ offset, state: 'replaced', policy });
      return;
    }
    const { ok: _, ...refused } = offered;
    versions.push({ offset, state: 'refused', ...refused });
  });
  const { live } = line;
  const newest = versions.findLastIndex(({ state }) => state === 'replaced');
  return { versions: versions.map((version, at) => (at === newest ? { ...version, state: 'live' } : version)), live };
}
