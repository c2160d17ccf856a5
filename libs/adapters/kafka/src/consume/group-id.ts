/**
 * The broker's name of a group. One for each topic: the port's groups share one topic, and members of a Kafka group that want different topics
 * would be given each other's.
 */
export function groupId(group: string, topic: string): string {
  return `${topic}.${group}`;
}
