import type { TopicKind } from './bus.port.js';

/** Every topic by name, and what keeps it (docs: ARCHITECTURE, Bus). */
export const TOPICS = {
  sessions: 'sallyport.sessions.v1',
  control: 'sallyport.control.v1',
  leases: 'sallyport.leases.v1',
  policies: 'sallyport.policies.v1',
  checkpoints: 'sallyport.checkpoints.v1',
} as const;

export const TOPIC_KINDS: Readonly<Record<string, TopicKind>> = {
  [TOPICS.sessions]: 'record',
  [TOPICS.control]: 'record',
  [TOPICS.leases]: 'record',
  [TOPICS.policies]: 'record',
  [TOPICS.checkpoints]: 'record',
};

/** Services that answer requests: each has the topics `sallyport.SERVICE.requests` and `.replies`. */
export const REQUEST_SERVICES = ['decide', 'lease', 'projector'] as const;

/** Requests and replies of the Nest transport live on topics of their own that start with this. */
export const TRANSIENT_PREFIXES: readonly string[] = REQUEST_SERVICES.map((service) => `sallyport.${service}.`);

/** Every topic that an installation has: the ones that keep the record, and those of requests and replies. */
export const ALL_TOPICS: readonly string[] = [
  ...Object.values(TOPICS),
  ...REQUEST_SERVICES.flatMap((service) => [`sallyport.${service}.requests`, `sallyport.${service}.replies`]),
];

export function topicKind(topic: string): TopicKind {
  const known = TOPIC_KINDS[topic];
  if (known) return known;
  if (TRANSIENT_PREFIXES.some((prefix) => topic.startsWith(prefix))) return 'transient';
  throw new RangeError(`unknown topic ${topic}`);
}
