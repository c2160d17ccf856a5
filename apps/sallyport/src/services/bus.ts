import { readFileSync } from 'node:fs';
import { checkTopics, type KafkaOptions, openKafkaBus, topicPlan, type TopicPlanOptions } from '@sallyport/adapter-kafka';
import type { Bus } from '@sallyport/bus';
import { type Config, type Env, resolveSecret } from '@sallyport/config';
import type { Logger } from 'pino';
import { clientCredentials } from './client-credentials.js';

export type KafkaConfig = Extract<Config['bus'], { readonly kind: 'kafka' }>;

/** Where secrets come from. */
export interface SecretSources {
  readonly env: Env;
  readonly baseDir: string;
}

/** The configuration's Kafka as the adapter wants it: secrets resolved, files read. Throws SecretError. */
export function kafkaOptions({ brokers, tls, sasl, clientId }: KafkaConfig, sources: SecretSources, log: Logger): KafkaOptions {
  const pem = (path: string | undefined, name: 'ca' | 'cert' | 'key') => (path === undefined ? {} : { [name]: readFileSync(path, 'utf8') });
  return {
    brokers,
    clientId,
    ...(tls === undefined || tls === false
      ? {}
      : { tls: tls === true ? true : { ...pem(tls.ca, 'ca'), ...pem(tls.cert, 'cert'), ...pem(tls.key, 'key') } }),
    ...(sasl === undefined ? {} : { sasl: saslOf(sasl, sources) }),
    log: (level, message, details) => log[level](details, message),
  };
}

function saslOf(sasl: NonNullable<KafkaConfig['sasl']>, sources: SecretSources): NonNullable<KafkaOptions['sasl']> {
  if (sasl.mechanism !== 'oauthbearer')
    return { mechanism: sasl.mechanism, username: sasl.username, password: resolveSecret(sasl.password, sources) };
  const { tokenEndpoint, clientId, clientSecret, scope } = sasl;
  return {
    mechanism: 'oauthbearer',
    token: clientCredentials({ tokenEndpoint, clientId, clientSecret: resolveSecret(clientSecret, sources), ...(scope ? { scope } : {}) }),
  };
}

/** How many, and how often copied. */
export function topicOptions({ topics }: KafkaConfig): TopicPlanOptions {
  return { partitions: topics.partitions, replicationFactor: topics.replication };
}

/** The brokers, with topics that keep the record. Rejects with `BUS_TOPICS` when they would lose it. */
export async function openKafka(config: KafkaConfig, sources: SecretSources, log: Logger): Promise<Bus> {
  const options = kafkaOptions(config, sources, log);
  for (const { topic, what, wanted, found } of await checkTopics(options, topicPlan(topicOptions(config))))
    log.warn({ topic, what, wanted, found }, 'a topic is otherwise than planned');
  return openKafkaBus(options);
}
