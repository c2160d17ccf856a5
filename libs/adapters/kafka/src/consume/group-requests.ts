import assignerProtocol from 'kafkajs/src/consumer/assignerProtocol.js';
import type { Cluster } from '../cluster.js';
import { check } from '../faults.js';
import type { Link } from '../link.js';

const { MemberAssignment, MemberMetadata } = assignerProtocol;
/** How this group shares: every member must know it. */
const PROTOCOL = 'sallyport-spread';
const PROTOCOL_VERSION = 0;

/** A member's place in one generation of its group. */
export interface Member {
  readonly memberId: string;
  readonly generation: number;
}

/** Of a commit from outside, which a group without members takes. */
export const NO_MEMBER: Member = { memberId: '', generation: -1 };

interface JoinAnswer {
  readonly errorCode: number;
  readonly generationId: number;
  readonly leaderId: string;
  readonly memberId: string;
  readonly members: readonly { readonly memberId: string }[];
}

export interface Joined extends Member {
  /** Empty for all but the leader, who shares out. */
  readonly members: readonly string[];
}

const MEMBER_ID_REQUIRED = 79;

/** Waits until every member of the group has joined the new generation, at most `rebalanceTimeoutMs`. */
export async function joinGroup(cluster: Cluster, link: Link, group: string, topic: string, memberId: string): Promise<Joined> {
  const { sessionTimeoutMs, rebalanceTimeoutMs, requestTimeoutMs } = cluster.settings.limits;
  const body = {
    groupId: group,
    sessionTimeout: sessionTimeoutMs,
    rebalanceTimeout: rebalanceTimeoutMs,
    memberId,
    protocolType: 'consumer',
    groupProtocols: [{ name: PROTOCOL, metadata: MemberMetadata.encode({ version: PROTOCOL_VERSION, topics: [topic] }) }],
  };
  const answer = await link.request<JoinAnswer>('JoinGroup', body, rebalanceTimeoutMs + requestTimeoutMs);
  // The broker gives a name first, so that it knows a member whose answer got lost.
  if (answer.errorCode === MEMBER_ID_REQUIRED && memberId === '') return joinGroup(cluster, link, group, topic, answer.memberId);
  check(answer.errorCode, `joining group ${group}`);
  const leads = answer.leaderId === answer.memberId;
  return {
    memberId: answer.memberId,
    generation: answer.generationId,
    members: leads ? answer.members.map((member) => member.memberId).sort() : [],
  };
}

/** The leader says what each member gets; everybody learns their own. Returns this member's partitions. */
export async function syncGroup(
  cluster: Cluster,
  link: Link,
  group: string,
  topic: string,
  { memberId, generation, members }: Joined,
): Promise<number[]> {
  const count = members.length === 0 ? 0 : (await cluster.refresh(topic)).leaders.length;
  const groupAssignment = members.map((member, at) => ({
    memberId: member,
    memberAssignment: MemberAssignment.encode({
      version: PROTOCOL_VERSION,
      assignment: { [topic]: Array.from({ length: count }, (_, partition) => partition).filter((p) => p % members.length === at) },
    }),
  }));
  const { rebalanceTimeoutMs } = cluster.settings.limits;
  const answer = await link.request<{ errorCode: number; memberAssignment: Buffer }>(
    'SyncGroup',
    { groupId: group, generationId: generation, memberId, groupAssignment },
    rebalanceTimeoutMs,
  );
  check(answer.errorCode, `sharing in group ${group}`);
  return MemberAssignment.decode(answer.memberAssignment)?.assignment[topic] ?? [];
}

export async function heartbeat(cluster: Cluster, link: Link, group: string, { memberId, generation }: Member): Promise<void> {
  const body = { groupId: group, groupGenerationId: generation, memberId };
  const answer = await link.request<{ errorCode: number }>('Heartbeat', body, cluster.settings.limits.requestTimeoutMs);
  check(answer.errorCode, `heartbeat in group ${group}`);
}

export async function leaveGroup(cluster: Cluster, group: string, memberId: string): Promise<void> {
  const link = await cluster.shared(await cluster.coordinator(group));
  const body = { groupId: group, memberId, members: [{ memberId }] };
  await link.request('LeaveGroup', body, cluster.settings.limits.requestTimeoutMs);
}

interface OffsetsAnswer {
  readonly errorCode?: number;
  readonly responses: readonly {
    readonly partitions: readonly { readonly partition: number; readonly errorCode: number; readonly offset: string }[];
  }[];
}

/** Where the group goes on, of the partitions that it has a place in. */
export async function committedOffsets(
  cluster: Cluster,
  group: string,
  topic: string,
  partitions: readonly number[],
): Promise<Map<number, bigint>> {
  const link = await cluster.shared(await cluster.coordinator(group));
  const body = { groupId: group, topics: [{ topic, partitions: partitions.map((partition) => ({ partition })) }] };
  const answer = await link.request<OffsetsAnswer>('OffsetFetch', body, cluster.settings.limits.requestTimeoutMs);
  check(answer.errorCode ?? 0, `offsets of group ${group}`);
  const found = answer.responses.flatMap((response) => response.partitions);
  for (const { errorCode } of found) check(errorCode, `offsets of group ${group}`);
  return new Map(found.filter(({ offset }) => BigInt(offset) >= 0n).map(({ partition, offset }) => [partition, BigInt(offset)]));
}

/** Durable when it resolves. */
export async function commitOffsets(
  cluster: Cluster,
  group: string,
  topic: string,
  offsets: ReadonlyMap<number, bigint>,
  { memberId, generation }: Member,
): Promise<void> {
  const link = await cluster.shared(await cluster.coordinator(group));
  const partitions = [...offsets].map(([partition, offset]) => ({ partition, offset: String(offset) }));
  const body = { groupId: group, groupGenerationId: generation, memberId, topics: [{ topic, partitions }] };
  const answer = await link.request<OffsetsAnswer>('OffsetCommit', body, cluster.settings.limits.requestTimeoutMs);
  for (const { errorCode } of answer.responses.flatMap((response) => response.partitions)) check(errorCode, `a commit of group ${group}`);
}
