import {
  type Acl,
  type AclDifference,
  aclPlan,
  type AppliedAcls,
  applyAcls,
  compareAcls,
  type KafkaOptions,
} from '@sallyport/adapter-kafka';
import type { KafkaConfig } from '../../services/bus.js';
import { wrongUse } from '../exit.js';
import type { Io } from '../io.js';
import { type Column, printList } from '../table.js';

type AclsConfig = NonNullable<KafkaConfig['acls']>;

const ACL_COLUMNS: readonly Column<Acl>[] = [
  { title: 'USER', value: ({ principal, host }) => (host === '*' ? principal : `${principal} at ${host}`) },
  { title: 'MAY', value: ({ operation, permission }) => (permission === 'deny' ? `not ${operation}` : operation) },
  { title: 'WHAT', value: ({ resource, name, pattern }) => `${resource} ${name}${pattern === 'prefixed' ? '…' : ''}` },
];

const DIFFERENCES = {
  missing: 'missing',
  'allows-more': 'ALLOWS MORE than any service does',
  denies: 'DENIES what a service needs',
} as const satisfies Record<AclDifference['difference'], string>;

const DIFFERENCE_COLUMNS: readonly Column<AclDifference>[] = [
  ...ACL_COLUMNS.map(({ title, value }) => ({ title, value: ({ acl }: AclDifference) => value(acl) })),
  { title: 'WHICH', value: ({ difference }) => DIFFERENCES[difference] },
];

/** Throws wrong use, with what to add, when the configuration doesn't name the users. */
export function aclsOf({ acls }: KafkaConfig): AclsConfig {
  if (acls) return acls;
  const users = 'edge: User:edge, decision: User:decision, vendor: User:vendor, projector: User:projector, console: User:console';
  throw wrongUse(
    'the configuration does not say which users of the brokers the services sign in as',
    `bus: { kafka: { …, acls: { ${users} } } }; and publisher: for who publishes policies, auditor: for who verifies`,
  );
}

export async function reachAcls(kafka: KafkaOptions, { others = [], ...users }: AclsConfig, dryRun: boolean): Promise<AppliedAcls> {
  const plan = aclPlan(users);
  return dryRun ? { done: [], left: await compareAcls(kafka, plan, { others }) } : applyAcls(kafka, plan, { others });
}

export function printAcls({ done, left }: AppliedAcls, dryRun: boolean, io: Io): void {
  if (!dryRun) printList(done, { columns: ACL_COLUMNS, format: 'table', none: 'No ACL had to be added.' }, io);
  if (left.length === 0) return io.err('The ACLs are as planned.\n');
  if (done.length > 0) io.out('\n');
  printList(left, { columns: DIFFERENCE_COLUMNS, format: 'table', none: '' }, io);
  if (!dryRun) io.err('\nOthers have made these ACLs. Take them away by hand, or name their users under bus.kafka.acls.others.\n');
}
