import { connectBus, openEmbeddedBus, serveBus } from '@sallyport/adapter-embedded-bus';
import type { Bus } from '@sallyport/bus';
import type { Config } from '@sallyport/config';
import { join } from 'node:path';
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import type { Logger } from 'pino';
import { type KafkaConfig, openKafka } from '../services/bus.js';

/** How a thread gets to the bus: to the embedded one over a port, to Kafka by itself. */
export type BusLink = { readonly port: MessagePort } | { readonly kafka: KafkaConfig; readonly baseDir: string };

/** The thread's end of the link. */
export function connectLink(link: BusLink, log: Logger): Promise<Bus> | Bus {
  return 'port' in link ? connectBus(link.port) : openKafka(link.kafka, { env: process.env, baseDir: link.baseDir }, log);
}

export interface UpBus {
  readonly bus: Bus;
  /** One for each thread, with what has to be handed over with it. */
  link(): { readonly link: BusLink; readonly transfer: readonly MessagePort[] };
}

/** The bus of this process: the embedded one in the data directory, or Kafka. */
export async function openUpBus(config: Config, baseDir: string, env: NodeJS.ProcessEnv, log: Logger): Promise<UpBus> {
  if (config.bus.kind === 'kafka') {
    const kafka = config.bus;
    return { bus: await openKafka(kafka, { env, baseDir }, log), link: () => ({ link: { kafka, baseDir }, transfer: [] }) };
  }
  const { topicMaxBytes, transientMaxBytes } = config.limits;
  const bus = await openEmbeddedBus({ dir: join(config.data, 'bus'), topicMaxBytes, transientMaxBytes });
  return {
    bus,
    link: () => {
      const { port1, port2 } = new MessageChannel();
      serveBus(bus, port1);
      return { link: { port: port2 }, transfer: [port2] };
    },
  };
}
