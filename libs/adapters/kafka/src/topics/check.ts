import type { KafkaOptions } from '../options.js';
import { compareTopics, type TopicDifference } from './compare.js';
import type { TopicPlan } from './plan.js';

/** Topics that a service must not begin with. The message has a line for each, and says what to do. */
export class KafkaTopicsError extends Error {
  override readonly name = 'KafkaTopicsError';
  readonly code = 'BUS_TOPICS';

  constructor(readonly differences: readonly TopicDifference[]) {
    super([...differences.map(line), 'run `sallyport topics apply`, or change them by hand'].join('\n'));
  }
}

/**
 * What a service asks before it begins: throws `KafkaTopicsError` when a topic is missing or would lose the record. Resolves with what
 * differs and does no harm, for the log. Needs the right to describe the topics and their configurations.
 */
export async function checkTopics(options: KafkaOptions, plan: readonly TopicPlan[]): Promise<readonly TopicDifference[]> {
  const differences = await compareTopics(options, plan);
  const fatal = differences.filter(({ severity }) => severity !== 'differs');
  if (fatal.length > 0) throw new KafkaTopicsError(fatal);
  return differences;
}

function line({ topic, what, wanted, found, severity }: TopicDifference): string {
  if (severity === 'missing') return `${topic}: the topic is missing`;
  return `${topic}: ${what} is ${found}, which would lose the record; it must be ${wanted}`;
}
