import type { Bus } from '@sallyport/bus';
import { type KafkaConfig, openKafka } from '../../services/bus.js';
import { createLog } from '../../services/log.js';
import { CliError, EXIT, wrongUse } from '../exit.js';
import type { Io } from '../io.js';
import type { CliSettings } from '../settings.js';

/** The Kafka of the configuration. The embedded bus is inside of `up`, and nobody else gets to it. */
export function kafkaOf({ config }: CliSettings): KafkaConfig {
  if (config.bus.kind === 'kafka') return config.bus;
  throw wrongUse(
    'the bus of this configuration is embedded: there is no policy topic that another process gets to',
    '`sallyport up` reads policy.path and policy.grants when it starts: restart it to change the policy. Publishing needs bus: { kafka: … }.',
  );
}

/** Does its work on the bus, and lets go of it. */
export async function onKafka<T>(settings: CliSettings, io: Io, work: (bus: Bus) => Promise<T>): Promise<T> {
  const kafka = kafkaOf(settings);
  const log = createLog('policy', io.env['SALLYPORT_LOG_LEVEL'] ?? 'silent');
  let bus: Bus;
  try {
    bus = await openKafka(kafka, { env: io.env, baseDir: settings.baseDir }, log);
  } catch (cause) {
    throw unreachable(kafka, cause);
  }
  try {
    return await work(bus);
  } catch (cause) {
    throw cause instanceof CliError ? cause : unreachable(kafka, cause);
  } finally {
    await bus.close();
  }
}

function unreachable({ brokers }: KafkaConfig, cause: unknown): CliError {
  const message = cause instanceof Error ? cause.message : String(cause);
  const isOurs = cause instanceof Error && 'code' in cause && cause.code === 'BUS_TOPICS';
  return new CliError(isOurs ? EXIT.usage : EXIT.unreachable, `Kafka at ${brokers.join(', ')}: ${message}`, { cause });
}
