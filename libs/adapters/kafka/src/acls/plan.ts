import { ACL_ROLES, type AclRole, type Rights, RIGHTS } from './rights.js';

export type AclOperation =
  | 'all'
  | 'read'
  | 'write'
  | 'create'
  | 'delete'
  | 'alter'
  | 'describe'
  | 'cluster-action'
  | 'describe-configs'
  | 'alter-configs'
  | 'idempotent-write'
  | 'other';

/** One entry of the authorizer's list. */
export interface Acl {
  readonly resource: 'topic' | 'group' | 'cluster';
  /** `*` is every one of its kind. */
  readonly name: string;
  readonly pattern: 'literal' | 'prefixed';
  /** As the broker names who has signed in: `User:edge`. `User:*` is everybody. */
  readonly principal: string;
  /** `*` is every one. */
  readonly host: string;
  readonly operation: AclOperation;
  readonly permission: 'allow' | 'deny';
}

/** Role → the principals that its processes sign in as. */
export type AclUsers = Readonly<Partial<Record<AclRole, readonly string[]>>>;

/**
 * Everything that these users may do, and no more. There is none for the cluster: an idempotent producer needs to be let write a topic, since Kafka
 * 2.8 (KIP-679), and the first entry about the cluster would shut out whoever got on without one (`allow.everyone.if.no.acl.found`).
 */
export function aclPlan(users: AclUsers): readonly Acl[] {
  const planned = ACL_ROLES.flatMap((role) => (users[role] ?? []).flatMap((principal) => ofUser(principal, RIGHTS[role])));
  // A user of several roles has the rights of each, once.
  return [...new Map(planned.map((acl) => [aclKey(acl), acl])).values()];
}

/** The same for equal ones. */
export function aclKey({ resource, name, pattern, principal, host, operation, permission }: Acl): string {
  return JSON.stringify([resource, name, pattern, principal, host, operation, permission]);
}

function ofUser(principal: string, { reads, writes, groups, describes }: Rights): Acl[] {
  const may = (resource: Acl['resource'], operation: AclOperation, names: readonly string[]): Acl[] =>
    names.map((name) => ({ resource, name, pattern: 'literal', principal, host: '*', operation, permission: 'allow' }));
  return [
    ...may('topic', 'read', reads),
    ...may('topic', 'write', writes),
    ...may('topic', 'describe', describes),
    ...may('topic', 'describe-configs', describes),
    ...may('group', 'read', groups),
  ];
}
