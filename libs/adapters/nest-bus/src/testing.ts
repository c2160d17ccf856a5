import { openEmbeddedBus } from '@sallyport/adapter-embedded-bus';
import type { Bus, BusRecord, ConsumeOptions, OutgoingRecord } from '@sallyport/bus';
import { enrolled } from '@sallyport/trust/testing';
import fs from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BusClient, type BusClientOptions, type BusContext, BusServer, type BusServerOptions } from './index.js';

export const { keys, roster } = enrolled('edge/e1', 'edge/e2', 'decision/d1', 'decision/d2', 'vendor/v1', 'console/c1');
export const REQUESTS = 'sallyport.decide.requests';
export const REPLIES = 'sallyport.decide.replies';

export type Handler = (data: unknown, context: BusContext) => unknown;

/** A bus with its clients and servers, whose records can be looked at, held up, and made by hand. */
export interface Bench {
  readonly bus: Bus;
  /** What was written to a topic so far. */
  records(topic: string): Promise<readonly BusRecord[]>;
  /** Called before each produce; what it waits for, the produce waits for. */
  beforeProduce: (topic: string, records: readonly OutgoingRecord[]) => Promise<void> | void;
  /** @param owns  the partitions of the requests topic that the group gives to it. Default: all. */
  serve(handlers: Readonly<Record<string, Handler>>, options?: Partial<BusServerOptions>, owns?: readonly number[]): Promise<BusServer>;
  client(options?: Partial<BusClientOptions>): BusClient;
  close(): Promise<void>;
}

/** A topic of requests has one partition on an embedded bus. Where it must have several, each is on a bus of its own. */
export async function openBench(partitions = 1): Promise<Bench> {
  const dir = await fs.mkdtemp(join(tmpdir(), 'nest-bus-'));
  const buses = await Promise.all(
    Array.from({ length: partitions }, (_, partition) => openEmbeddedBus({ dir: join(dir, String(partition)), segmentBytes: 64 * 1024 })),
  );
  const consume = async (options: ConsumeOptions, owned: readonly number[]) => {
    const { partitions: wanted = owned, ...rest } = options;
    const consumptions = await Promise.all(
      wanted.map((partition) =>
        buses[partition]!.consume({
          ...rest,
          onBatch: (batch, context) =>
            options.onBatch(
              batch.map((record) => ({ ...record, partition })),
              context,
            ),
        }),
      ),
    );
    return { close: async () => void (await Promise.all(consumptions.map((consumption) => consumption.close()))) };
  };
  const ends: { close(): unknown }[] = [];
  const bench: Bench = {
    bus: {
      produce: async (topic, records) => {
        await bench.beforeProduce(topic, records);
        const placed = records.map(({ partition = 0, ...record }) => buses[partition]!.produce(topic, [record]));
        return (await Promise.all(placed)).flat();
      },
      consume: (options) => consume(options, [...buses.keys()]),
      read: async (topic, partition, ...from) =>
        (await buses[partition]!.read(topic, 0, ...from)).map((record) => ({ ...record, partition })),
      ends: async (topic) => Promise.all(buses.map(async (bus, partition) => ({ ...(await bus.ends(topic))[0]!, partition }))),
      close: async () => void (await Promise.all(buses.map((bus) => bus.close()))),
    },
    records: async (topic) => {
      const found = await Promise.all(
        (await bench.bus.ends(topic)).map(({ partition, first }) => bench.bus.read(topic, partition, first, 10_000)),
      );
      return found.flat();
    },
    beforeProduce: () => undefined,
    serve: async (handlers, options = {}, owns = [...buses.keys()]) => {
      const bus: Bus = { ...bench.bus, consume: (given) => consume(given, owns) };
      const callers = Object.fromEntries(Object.keys(handlers).map((pattern) => [pattern, ['edge'] as const]));
      const server = new BusServer({ bus, service: 'decide', key: keys['decision/d1'], roster, callers, ...options });
      for (const [pattern, handler] of Object.entries(handlers)) server.addHandler(pattern, handler as never, false);
      await new Promise<void>((resolve, reject) => void server.listen((error) => (error === undefined ? resolve() : reject(error))));
      ends.push(server);
      return server;
    },
    client: (options = {}) => {
      const client = new BusClient({ bus: bench.bus, service: 'decide', key: keys['edge/e1'], roster, ...options });
      ends.push(client);
      return client;
    },
    close: async () => {
      for (const end of ends.reverse()) await end.close();
      await bench.bus.close();
      await fs.rm(dir, { recursive: true });
    },
  };
  return bench;
}

export async function eventually(holds: () => boolean | Promise<boolean>): Promise<void> {
  for (const until = Date.now() + 10_000; !(await holds()); await new Promise((resolve) => setTimeout(resolve, 5)))
    if (Date.now() > until) throw new Error('did not happen');
}

/** Something that is opened once. */
export function gate(): { readonly opened: Promise<void>; open(): void } {
  let open = (): void => undefined;
  const opened = new Promise<void>((resolve) => (open = resolve));
  return { opened, open: () => open() };
}
