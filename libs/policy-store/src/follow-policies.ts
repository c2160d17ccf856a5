import { type Bus, type BusRecord, TOPICS } from '@sallyport/bus';
import type { Roster } from '@sallyport/trust';
import { catchUp } from './catch-up.js';
import { type Activated, type LoadPublished, PolicyLine } from './policy-line.js';
import { POLICY_PARTITION } from './read-topic.js';
import type { Refused } from './refusal.js';

export interface FollowPoliciesOptions<Loaded> {
  readonly bus: Bus;
  readonly roster: Roster;
  readonly load: LoadPublished<Loaded>;
  /** Called at each switch, and before {@link followPolicies} resolves for what is live then. */
  readonly onActivated: (policy: Activated<Loaded>) => void;
  /** The live policy stays. Of what is history at the start only what could have become live is told. */
  readonly onRefused: (refused: Refused, record: BusRecord) => void;
  readonly onError: (error: unknown) => void;
}

export interface FollowedPolicies<Loaded> {
  /** Undefined as long as nothing valid was published. */
  readonly live: Activated<Loaded> | undefined;
  close(): Promise<void>;
}

const ROSTER_POLL_MS = 1000;

/** Follows the policy topic. Resolves when the newest valid policy that was on it at the time of the call is live. */
export async function followPolicies<Loaded>(options: FollowPoliciesOptions<Loaded>): Promise<FollowedPolicies<Loaded>> {
  const { bus, roster, load, onActivated, onRefused, onError } = options;
  const line = new PolicyLine(roster, load);
  let sawStranger = false;
  /** Offsets of those that can't be loaded: they aren't tried again. */
  const broken = new Set<bigint>();

  const offer = (record: BusRecord): void => {
    const offered = line.offer(record);
    try {
      if (offered.ok) return onActivated(offered.activated);
      sawStranger ||= offered.reason === 'unknown-key';
      if (offered.policy && offered.reason !== 'old-number') broken.add(record.offset);
      onRefused(offered, record);
    } catch (error) {
      onError(error);
    }
  };

  const catchUpTo = (told: bigint): Promise<bigint> =>
    catchUp({
      bus,
      line,
      offer: (record) => broken.has(record.offset) || offer(record),
      onUnreadable: (refused, record) => {
        sawStranger ||= refused.reason === 'unknown-key';
        if (record.offset >= told) onRefused(refused, record);
      },
    });

  let seen = await catchUpTo(0n);
  // One thing at a time: what is new, and what is looked at again.
  let work: Promise<void> = Promise.resolve();
  const inTurn = (next: () => Promise<void> | void): Promise<void> => {
    work = work.then(next).catch(onError);
    return work;
  };
  const consumption = await bus.consume({
    topic: TOPICS.policies,
    partitions: [POLICY_PARTITION],
    start: { at: 'offsets', offsets: { [POLICY_PARTITION]: seen } },
    onBatch: (records) =>
      inTurn(() => {
        for (const record of records) {
          if (record.offset < seen) continue;
          seen = record.offset + 1n;
          offer(record);
        }
      }),
    onError,
  });
  // A publisher's key comes by other ways than its policies, and may come later.
  let rosterVersion: number | undefined = roster.version;
  const enrolledSince = setInterval(() => {
    if (roster.version === rosterVersion) return;
    rosterVersion = roster.version;
    if (!sawStranger) return;
    void inTurn(async () => {
      try {
        sawStranger = false;
        const next = await catchUpTo(seen);
        if (next > seen) seen = next;
      } catch (error) {
        // Again at the next look.
        sawStranger = true;
        rosterVersion = undefined;
        throw error;
      }
    });
  }, ROSTER_POLL_MS);
  enrolledSince.unref();
  return {
    get live() {
      return line.live;
    },
    async close() {
      clearInterval(enrolledSince);
      await consumption.close();
      await work;
    },
  };
}
