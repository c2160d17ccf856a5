import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import { join } from 'node:path';
import { openEmbeddedBus } from '@sallyport/adapter-embedded-bus';
import { applyTopics, openKafkaBus, topicPlan } from '@sallyport/adapter-kafka';
import { TOPICS } from '@sallyport/bus';
import { kafkaInstalled, startKafka } from '../harness/index.mjs';
import { askDecisions } from './load/decisions.mjs';
import { catchUp, publish, sessionEvents } from './load/publishing.mjs';
import { interleaved } from './measure/rounds.mjs';
import { startDecisionPeer } from './peers/decision.mjs';
import { startKafkajsProducer } from './peers/kafkajs.mjs';

/** Of the spool's publisher. */
const BATCH = 500;
const PARTITIONS = 12;
const EVENTS_PER_SECOND_GUESS = 10_000;

/** Decisions, publishing and catching up: over Kafka, over the embedded bus, and what bare kafkajs makes of the same batches. */
export async function bench({ rounds, seconds, onStop, say }) {
  if (!kafkaInstalled()) throw new Error('Kafka is missing: run deploy/kafka/install.sh (needs Java 17 and Maven)');
  const directory = mkdtempSync(join(os.tmpdir(), 'sallyport-bench-'));
  onStop(async () => rmSync(directory, { recursive: true, force: true }));
  say('starting Kafka');
  const broker = await startKafka();
  onStop(() => broker.stop());
  await applyTopics({ brokers: broker.brokers }, topicPlan({ partitions: PARTITIONS, replicationFactor: 1 }));

  const kafka = await openKafkaBus({ brokers: broker.brokers });
  onStop(() => kafka.close());
  const embedded = await openEmbeddedBus({ dir: join(directory, 'bus') });
  onStop(() => embedded.close());
  const bare = await startKafkajsProducer({ brokers: broker.brokers, topic: TOPICS.sessions });
  onStop(() => bare.stop());

  const deciders = [];
  for (const [name, bus] of [
    ['embedded', embedded],
    ['kafka', kafka],
  ]) {
    const peer = await startDecisionPeer({ bus });
    onStop(() => peer.stop());
    deciders.push({ name, ...peer });
  }
  const events = sessionEvents(Math.max(BATCH, EVENTS_PER_SECOND_GUESS * seconds));
  const buses = [
    { name: 'bare kafkajs', produce: (records) => bare.produce(records) },
    { name: 'kafka', produce: (records) => kafka.produce(TOPICS.sessions, records), bus: kafka },
    { name: 'embedded', produce: (records) => embedded.produce(TOPICS.sessions, records), bus: embedded },
  ];
  const cases = [
    ...[1, 64].map((inFlight) => ({
      work: 'decisions',
      clients: inFlight,
      peers: deciders.map((peer) => ({ name: peer.name, run: () => askDecisions({ ask: peer.ask, inFlight, seconds }) })),
    })),
    {
      work: `publishing, ${BATCH} events a batch`,
      clients: 1,
      peers: buses.map(({ name, produce }) => ({ name, run: () => publish({ produce, events, batch: BATCH }) })),
    },
    {
      work: 'catching up from the spool after an outage',
      clients: 1,
      peers: buses.map(({ name, produce, bus }) => ({
        name,
        run: () => (bus ? catchUp({ bus, events, directory }) : publish({ produce, events, batch: BATCH })),
      })),
    },
  ];
  say('warming up');
  for (const { peers } of cases) for (const peer of peers) await peer.run();
  const rows = await interleaved({ cases, rounds, baselines: ['bare kafkajs', 'embedded'], say });
  return {
    title: 'The bus: what Kafka costs',
    unit: 'decisions or events',
    note: [
      'Server and client are in one process for both buses, and the broker beside it: one copy, not synced to disk by Kafka, synced by the embedded bus. `clients` is how many decisions are in flight. Policy is asked anew for each decision.',
    ],
    baselines: ['bare kafkajs', 'embedded'],
    versions: { Kafka: '4.3.1', kafkajs: '2.2.4' },
    skipped: [],
    rows,
  };
}
