import { ALL_TOPICS } from '@sallyport/bus';
import type { Cluster } from '../cluster.js';
import type { KafkaOptions } from '../options.js';
import { persist } from '../pauses.js';
import { withCluster } from '../topics/compare.js';
import { describeAcls } from './acl-requests.js';
import { type Acl, aclKey, type AclOperation } from './plan.js';
import { ACL_ROLES, RIGHTS } from './rights.js';

export interface AclDifference {
  readonly acl: Acl;
  /**
   * `missing`: planned, and not there. `allows-more`: somebody may do what no service of that user does, with our topics and groups, or one of our
   * users with the cluster. `denies`: takes from one of our users what it needs.
   */
  readonly difference: 'missing' | 'allows-more' | 'denies';
}

export interface AclComparison {
  /** Principals whose entries are not told: those who keep the brokers. */
  readonly others?: readonly string[];
}

/** A cluster has one name. */
const THE_CLUSTER = 'kafka-cluster';
const EVERYBODY = 'User:*';
/** What a user may do with the cluster without being more than it is. */
const HARMLESS: ReadonlySet<AclOperation> = new Set(['describe', 'idempotent-write']);

/** What the brokers let whom do, against the plan. Empty when all is as planned. Rejects with `BUS_FAILED`. */
export function compareAcls(options: KafkaOptions, plan: readonly Acl[], how: AclComparison = {}): Promise<readonly AclDifference[]> {
  return withCluster(options, (cluster) => compare(cluster, plan, how));
}

export async function compare(cluster: Cluster, plan: readonly Acl[], { others = [] }: AclComparison): Promise<readonly AclDifference[]> {
  return differencesOf(plan, await foundAcls(cluster), others);
}

/** Of every topic and group of an installation, and of the cluster; each once, though a wide one is in force for many. */
async function foundAcls(cluster: Cluster): Promise<readonly Acl[]> {
  const groups = ACL_ROLES.flatMap((role) => RIGHTS[role].groups);
  const asked = [
    ...ALL_TOPICS.map((name) => ['topic', name] as const),
    ...groups.map((name) => ['group', name] as const),
    ['cluster', THE_CLUSTER] as const,
  ];
  const found = new Map<string, Acl>();
  for (const [resource, name] of asked) {
    const acls = await persist(cluster.settings.limits.callTimeoutMs, cluster.signal, () => describeAcls(cluster, resource, name));
    for (const acl of acls) found.set(aclKey(acl), acl);
  }
  return [...found.values()];
}

export function differencesOf(plan: readonly Acl[], found: readonly Acl[], others: readonly string[]): readonly AclDifference[] {
  const there = new Set(found.map(aclKey));
  const missing = plan.filter((acl) => !there.has(aclKey(acl)));
  const strange = found.filter(({ principal }) => !others.includes(principal));
  return [
    ...missing.map((acl) => ({ acl, difference: 'missing' as const })),
    ...strange
      .filter((acl) => acl.permission === 'allow' && allowsMore(plan, acl))
      .map((acl) => ({ acl, difference: 'allows-more' as const })),
    ...strange.filter((acl) => acl.permission === 'deny' && denies(plan, acl)).map((acl) => ({ acl, difference: 'denies' as const })),
  ];
}

function allowsMore(plan: readonly Acl[], { resource, name, pattern, principal, operation }: Acl): boolean {
  if (resource === 'cluster')
    return (principal === EVERYBODY || plan.some((one) => one.principal === principal)) && !HARMLESS.has(operation);
  const planned = plan.filter((one) => one.resource === resource && one.principal === principal && one.name === name);
  // A wide one is more than any that is planned.
  if (pattern !== 'literal') return true;
  return !planned.some((one) => one.operation === operation || (operation === 'describe' && one.operation !== 'describe-configs'));
}

function denies(plan: readonly Acl[], denial: Acl): boolean {
  const { resource, principal, operation } = denial;
  return plan.some(
    (one) =>
      one.resource === resource &&
      (principal === EVERYBODY || one.principal === principal) &&
      // A denied description denies reading and writing what can't be found.
      (operation === 'all' || operation === 'describe' || one.operation === operation) &&
      isAbout(denial, one.name),
  );
}

function isAbout({ name, pattern }: Acl, planned: string): boolean {
  return pattern === 'prefixed' ? planned.startsWith(name) : name === '*' || name === planned;
}
