import type { Cluster } from '../cluster.js';
import { KafkaFault } from '../faults.js';
import type { KafkaOptions } from '../options.js';
import { pause } from '../pauses.js';
import { withCluster } from '../topics/compare.js';
import { createAcls } from './acl-requests.js';
import { type AclComparison, type AclDifference, compare } from './compare.js';
import type { Acl } from './plan.js';

const ASK_AGAIN_MS = 20;

export interface AppliedAcls {
  readonly done: readonly Acl[];
  /** What others have made, and nobody removes by itself: somebody has to decide about it. */
  readonly left: readonly AclDifference[];
}

/** Adds what is planned and not there. Removes nothing. Rejects with `BUS_FAILED` at what the broker refuses. */
export function applyAcls(options: KafkaOptions, plan: readonly Acl[], how: AclComparison = {}): Promise<AppliedAcls> {
  return withCluster(options, async (cluster) => {
    const missing = missingOf(await compare(cluster, plan, how));
    if (missing.length > 0) await createAcls(cluster, missing);
    return { done: missing, left: await awaitAcls(cluster, plan, how) };
  });
}

/** The controller answers before every broker has heard. */
async function awaitAcls(cluster: Cluster, plan: readonly Acl[], how: AclComparison): Promise<readonly AclDifference[]> {
  const { callTimeoutMs } = cluster.settings.limits;
  for (const until = Date.now() + callTimeoutMs; Date.now() < until; await pause(ASK_AGAIN_MS, cluster.signal)) {
    const left = await compare(cluster, plan, how);
    if (missingOf(left).length === 0) return left;
  }
  throw new KafkaFault('TIMEOUT', `the ACLs were not in force within ${callTimeoutMs} ms`);
}

function missingOf(differences: readonly AclDifference[]): readonly Acl[] {
  return differences.filter(({ difference }) => difference === 'missing').map(({ acl }) => acl);
}
