import type { Cluster } from '../cluster.js';
import { check, KafkaFault } from '../faults.js';
import type { Acl, AclOperation } from './plan.js';

/** Numbers of the protocol: org.apache.kafka.common.resource and .acl. */
const RESOURCES = { topic: 2, group: 3, cluster: 4 } as const;
const PATTERNS = { literal: 3, prefixed: 4 } as const;
const PERMISSIONS = { deny: 2, allow: 3 } as const;
const OPERATIONS: Readonly<Record<Exclude<AclOperation, 'other'>, number>> = {
  all: 2,
  read: 3,
  write: 4,
  create: 5,
  delete: 6,
  alter: 7,
  describe: 8,
  'cluster-action': 9,
  'describe-configs': 10,
  'alter-configs': 11,
  'idempotent-write': 12,
};
const SECURITY_DISABLED = 54;
const ANY = 1;
/** A filter that finds what is in force for a name: its own entries, those of a prefix of it, and those of `*`. */
const MATCH = 2;

interface DescribeAnswer {
  readonly errorCode: number;
  readonly resources: readonly {
    readonly resourceType: number;
    readonly resourceName: string;
    readonly resourcePatternType: number;
    readonly acls: readonly {
      readonly principal: string;
      readonly host: string;
      readonly operation: number;
      readonly permissionType: number;
    }[];
  }[];
}

interface CreateAnswer {
  readonly creationResponses: readonly { readonly errorCode: number; readonly errorMessage: string | null }[];
}

/** What is in force for one topic, group or the cluster (`kafka-cluster`). Throws `SECURITY_DISABLED` where nobody is asked for rights. */
export async function describeAcls(cluster: Cluster, resource: Acl['resource'], name: string): Promise<readonly Acl[]> {
  const body = {
    resourceType: RESOURCES[resource],
    resourceName: name,
    resourcePatternType: MATCH,
    principal: null,
    host: null,
    operation: ANY,
    permissionType: ANY,
  };
  const answer = await (await cluster.any()).request<DescribeAnswer>('DescribeAcls', body, cluster.settings.limits.requestTimeoutMs);
  if (answer.errorCode === SECURITY_DISABLED)
    throw new KafkaFault(
      'SECURITY_DISABLED',
      'the brokers have no authorizer, so that everybody may do everything: set authorizer.class.name',
    );
  check(answer.errorCode, `the ACLs of ${name}`);
  return answer.resources.flatMap((found) =>
    found.acls.map(({ principal, host, operation, permissionType }) => ({
      resource: nameOf(RESOURCES, found.resourceType) ?? resource,
      name: found.resourceName,
      pattern: nameOf(PATTERNS, found.resourcePatternType) ?? 'literal',
      principal,
      host,
      operation: nameOf(OPERATIONS, operation) ?? 'other',
      permission: nameOf(PERMISSIONS, permissionType) ?? 'allow',
    })),
  );
}

/** All in one request: what had no entry before is never seen with half of them. One that is there already stays as it is. */
export async function createAcls(cluster: Cluster, acls: readonly Acl[]): Promise<void> {
  const creations = acls.map(({ resource, name, pattern, principal, host, operation, permission }) => ({
    resourceType: RESOURCES[resource],
    resourceName: name,
    resourcePatternType: PATTERNS[pattern],
    principal,
    host,
    operation: OPERATIONS[operation as Exclude<AclOperation, 'other'>],
    permissionType: PERMISSIONS[permission],
  }));
  const answer = await (await cluster.any()).request<CreateAnswer>('CreateAcls', { creations }, cluster.settings.limits.callTimeoutMs);
  for (const [at, { errorCode, errorMessage }] of answer.creationResponses.entries()) {
    const { principal, operation, name } = acls[at]!;
    check(errorCode, `${operation} on ${name} for ${principal}${errorMessage ? ` (${errorMessage})` : ''}`);
  }
}

function nameOf<Name extends string>(numbers: Readonly<Record<Name, number>>, number: number): Name | undefined {
  return (Object.keys(numbers) as Name[]).find((name) => numbers[name] === number);
}
