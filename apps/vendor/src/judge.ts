import type { SigningKey } from '@sallyport/events';
import type { IdentityPort, Revocations } from '@sallyport/identity';
import { type LeaseJudge, leaseJudge, type VendorLimits } from '@sallyport/lease';
import { openSealed } from '@sallyport/trust';
import { connectInput, type ResourceFacts, type VerdictPort } from '@sallyport/verdict';

import type { VendorResource } from './sources.js';

export interface VendorJudgeOptions {
  readonly key: SigningKey;
  readonly identity: IdentityPort;
  readonly verdicts: VerdictPort;
  readonly revocations: Revocations;
  readonly resources: readonly VendorResource[];
  readonly limits: Pick<VendorLimits, 'judgeTimeoutMs' | 'clockSkewMs'>;
  readonly clock: () => number;
}

/** The judge, with this vendor's key, identity, policy and configuration: none of them is the edge's. */
export function vendorJudge({ key, verdicts, resources, limits, clock, ...ports }: VendorJudgeOptions): LeaseJudge {
  const facts = new Map<string, ResourceFacts>(resources.map(({ name, kind, labels }) => [name, { name, kind, labels }]));
  return leaseJudge({
    ...ports,
    ...limits,
    open: (sealed, binding) => openSealed(key, sealed, binding),
    async mayConnect({ resource: name, ...question }) {
      const resource = facts.get(name);
      if (!resource) return { allowed: false, profiles: [] };
      const { decision, profiles } = await verdicts.decide(connectInput({ ...question, resource, nowMs: clock() }));
      return { allowed: decision === 'allow', profiles };
    },
  });
}
