import { ALL_TOPICS, type REQUEST_SERVICES, TOPICS } from '@sallyport/bus';
import { groupId } from '../consume/group-id.js';

/**
 * Who signs in at the brokers: the five services (a projector signs the ledger too), and two that are people or pipelines: who publishes
 * policies, and who verifies the record.
 */
export const ACL_ROLES = ['edge', 'decision', 'vendor', 'projector', 'console', 'publisher', 'auditor'] as const;
export type AclRole = (typeof ACL_ROLES)[number];

/** What a role does on Kafka. To write, and to read, include being told that the topic is there. */
export interface Rights {
  readonly reads: readonly string[];
  readonly writes: readonly string[];
  /** Ids as the broker knows them. */
  readonly groups: readonly string[];
  /** Looks at these topics and their configurations, and no further. */
  readonly describes: readonly string[];
}

type RequestService = (typeof REQUEST_SERVICES)[number];

/** Of whoever asks a service (nest-bus, BusClient): requests are written, replies are read without a group. */
const asks = (...services: RequestService[]): Pick<Rights, 'reads' | 'writes'> => ({
  reads: services.map((service) => `sallyport.${service}.replies`),
  writes: services.map((service) => `sallyport.${service}.requests`),
});

/** Of the service itself (nest-bus, BusServer): requests are shared in a group of the service's name, replies are written. */
const answers = (service: RequestService): Omit<Rights, 'describes'> => ({
  reads: [`sallyport.${service}.requests`],
  writes: [`sallyport.${service}.replies`],
  groups: [groupId(service, `sallyport.${service}.requests`)],
});

/** Of every process that begins with `openKafka`: it looks at all topics, whether they keep the record (`checkTopics`). */
const describes = ALL_TOPICS;
const { sessions, control, leases, policies, checkpoints } = TOPICS;

/**
 * From what the code does; apps/sallyport/src/services/acls.spec.ts compares it with who may ask whom and who may write which event, and
 * test/kafka/acls.spec.ts runs an installation within it. Every service follows the policies (apps/sallyport: services/run.ts) and
 * announces itself on the control topic (libs/trust: announced.ts).
 */
export const RIGHTS: Readonly<Record<AclRole, Rights>> = {
  edge: rights(asks('lease', 'decide'), {
    reads: [
      control, // approvals, revocations, who is there: apps/edge, control.ts
      policies,
    ],
    writes: [
      sessions, // the spool: spool.ts
      control, // acknowledgements: acknowledgements.ts
    ],
  }),
  decision: rights(answers('decide'), {
    reads: [
      sessions, // what is held: apps/decision, follow-holds.ts
      control,
      policies,
    ],
    writes: [
      control, // answers to holds, which policy is live: answer-hold.ts, activations.ts
    ],
  }),
  vendor: rights(answers('lease'), asks('decide'), {
    reads: [
      sessions, // ends, each alone and in a group: apps/vendor, session-ends.ts
      leases, // lease-stream.ts
      control, // revoked.ts
      policies,
    ],
    writes: [
      leases, // lease-stream.ts
      control,
    ],
    groups: [groupId('vendor-ends', sessions)],
  }),
  projector: rights(answers('projector'), {
    reads: [
      sessions, // read models and checkpoints: apps/projector, topic-ingest.ts, checkpoints.ts
      control, // read models: topic-ingest.ts
      leases,
      checkpoints, // where the log was signed last: published.ts, signed-heads.ts
      policies,
    ],
    writes: [
      checkpoints, // log-checkpoints.ts
      control,
    ],
    groups: [...[sessions, control, leases].map((topic) => groupId('projector', topic)), groupId('projector-ledger', sessions)],
  }),
  console: rights(asks('decide', 'projector'), {
    reads: [
      sessions, // live stream and exports: apps/console, live/feed.ts, export/exporter.ts
      checkpoints, // exports
      control, // who confirmed what: create-console.ts
      policies,
    ],
    writes: [
      control, // revocations: revoke.ts
    ],
  }),
  // `sallyport policy publish` and `policy log`: libs/policy-store, publish-policy.ts
  publisher: rights({ reads: [policies], writes: [policies] }),
  // `sallyport verify`: apps/sallyport, cli/verify/bus-log.ts
  auditor: { ...rights({ reads: [sessions, control, leases, checkpoints] }), describes: [] },
};

function rights(...parts: readonly Partial<Rights>[]): Rights {
  const all = (name: 'reads' | 'writes' | 'groups'): string[] => parts.flatMap((part) => part[name] ?? []);
  return { reads: all('reads'), writes: all('writes'), groups: all('groups'), describes };
}
