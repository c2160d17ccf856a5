import { type Bus, type BusRecord, TOPICS } from '@sallyport/bus';
import { crc32c } from '@sallyport/journal';
import { Kafka, logLevel } from 'kafkajs';
import { gzipSync } from 'node:zlib';
import { Cluster } from './cluster.js';
import { openKafkaBus } from './kafka-bus.js';
import { kafkaSettings } from './options.js';
import { eventually, freshTopics, kafkaInstalled, startKafka, type TestKafka } from './testing/index.js';
import { BATCH_OVERHEAD_BYTES, encodeBatch, prepareRecord, stampBatch } from './wire/record-batch.js';
import { sendBatches } from './wire/produce.js';

const TOPIC = TOPICS.control;
const CODECS = { gzip: 1, snappy: 2 } as const;

/** A batch as a stranger would make it, on our own terms: of no producer, so that the broker counts nothing. */
function batchOf(values: readonly (string | Buffer)[]): Buffer {
  const batch = encodeBatch(values.map((value) => prepareRecord({ key: 'k', value: Buffer.from(value) })));
  stampBatch(batch, { producerId: -1n, producerEpoch: -1, sequence: -1 });
  return batch;
}

/** Other records in the same frame. */
function withRecords(batch: Buffer, records: Buffer, codec = 0): Buffer {
  const made = Buffer.concat([batch.subarray(0, BATCH_OVERHEAD_BYTES), records]);
  made.writeInt32BE(made.length - 12, 8);
  made.writeInt16BE(codec, 21);
  made.writeUInt32BE(crc32c(made, 21), 17);
  return made;
}

/** Snappy as Java's library frames it: one block of literals. */
function snappy(bytes: Buffer): Buffer {
  const varint: number[] = [];
  for (let rest = bytes.length; ; rest >>>= 7) {
    varint.push(rest < 0x80 ? rest : (rest & 0x7f) | 0x80);
    if (rest < 0x80) break;
  }
  const literal = Buffer.from([61 << 2, (bytes.length - 1) & 0xff, (bytes.length - 1) >> 8]);
  const block = Buffer.concat([Buffer.from(varint), literal, bytes]);
  const head = Buffer.alloc(20);
  Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0]).copy(head);
  head.writeInt32BE(1, 8);
  head.writeInt32BE(1, 12);
  head.writeInt32BE(block.length, 16);
  return Buffer.concat([head, block]);
}

/** One record: attributes, time, `offsetDelta`, a key of one byte whose length is written as given, a value of one byte, no headers. */
function oddRecord({ offsetDelta = [0], keyLength = [2] }: { readonly offsetDelta?: number[]; readonly keyLength?: number[] }): Buffer {
  const body = Buffer.from([0, 0, ...offsetDelta, ...keyLength, 0x6b, 2, 0x76, 0]);
  return Buffer.concat([Buffer.from([body.length * 2]), body]);
}

(kafkaInstalled() ? describe : describe.skip)('P9: what a stranger may write to a topic', () => {
  let kafka: TestKafka;
  let bus: Bus;
  let cluster: Cluster;
  beforeAll(async () => {
    kafka = await startKafka({
      properties: {
        'transaction.state.log.replication.factor': '1',
        'transaction.state.log.min.isr': '1',
        'transaction.state.log.num.partitions': '1',
      },
    });
  }, 120_000);
  afterAll(() => kafka?.stop());
  beforeEach(async () => {
    await freshTopics({ brokers: kafka.brokers }, { [TOPIC]: 1 });
    cluster = new Cluster(kafkaSettings({ brokers: kafka.brokers }));
    bus = await openKafkaBus({ brokers: kafka.brokers });
  });
  afterEach(async () => {
    await bus.close();
    cluster.close();
  });

  /** The error code of the broker: 0 when it took it. */
  async function write(batch: Buffer): Promise<number> {
    const link = await cluster.open(await cluster.leader(TOPIC, 0));
    try {
      return (await sendBatches(link, TOPIC, [{ partition: 0, batch }], 5000))[0]!.errorCode;
    } finally {
      link.close();
    }
  }

  async function transaction(end: 'commit' | 'abort'): Promise<void> {
    const client = new Kafka({ brokers: kafka.brokers, logLevel: logLevel.NOTHING });
    const producer = client.producer({ transactionalId: `stranger-${end}`, maxInFlightRequests: 1, idempotent: true });
    await producer.connect();
    const running = await producer.transaction();
    await running.send({ topic: TOPIC, messages: [{ key: 'k', value: 'in a transaction' }] });
    await running[end]();
    await producer.disconnect();
  }

  /** Follows the topic from its start while `hostile` is written in the middle; what an honest writer said before and behind it must be heard. */
  async function heardAround(hostile: () => Promise<unknown>): Promise<BusRecord[]> {
    const heard: BusRecord[] = [];
    const errors: unknown[] = [];
    await bus.produce(TOPIC, [{ key: 'k', value: Buffer.from('before') }]);
    const live = await bus.consume({
      topic: TOPIC,
      start: { at: 'earliest' },
      onBatch: async (batch) => void heard.push(...batch),
      onError: (error) => void errors.push(error),
    });
    await eventually('what was before', () => heard.length > 0);
    await hostile();
    for (let n = 0; n < 20; n++) await bus.produce(TOPIC, [{ key: 'k', value: Buffer.from(`behind ${n}`) }]);
    const behind = () => heard.filter(({ value }) => value.toString().startsWith('behind')).length;
    try {
      for (const until = Date.now() + 5000; behind() < 20 && Date.now() < until;) await new Promise((resolve) => setTimeout(resolve, 20));
      expect({ behind: behind(), errors }).toEqual({ behind: 20, errors: [] });
    } finally {
      await live.close();
    }
    // Every place of the log is somebody's: a reader that counts places misses none.
    expect(heard.map(({ offset }) => offset)).toEqual(heard.map((_, n) => BigInt(n)));
    const [end] = await bus.ends(TOPIC);
    expect(heard).toHaveLength(Number(end!.next));
    const read: BusRecord[] = [];
    while (read.length < heard.length) {
      const more = await bus.read(TOPIC, 0, BigInt(read.length), 7);
      if (more.length === 0) break;
      read.push(...more);
    }
    expect(read).toEqual(heard);
    return heard;
  }

  it.each(['gzip', 'snappy'] as const)('compressed with %s', async (codec) => {
    const plain = batchOf(['hostile']);
    const records = plain.subarray(BATCH_OVERHEAD_BYTES);
    await heardAround(async () => {
      expect(await write(withRecords(plain, codec === 'gzip' ? gzipSync(records) : snappy(records), CODECS[codec]))).toBe(0);
    });
  });

  it('compressed to a thousandth', async () => {
    const plain = batchOf([Buffer.alloc(80 * 2 ** 20)]);
    await heardAround(() => write(withRecords(plain, gzipSync(plain.subarray(BATCH_OVERHEAD_BYTES)), CODECS.gzip)));
  });

  it.each([
    ['far behind the end', [0x80, 0x80, 0x80, 0x01]],
    ['before what was read', [0x03]],
  ])('a place %s in a record', async (_, offsetDelta) => {
    await heardAround(() => write(withRecords(batchOf(['v']), oddRecord({ offsetDelta }))));
  });

  it.each([
    ['a length with bits that do not count', [0x82, 0x80, 0x80, 0x80, 0x70]],
    ['a length in more bytes than it takes', [0x82, 0x80, 0x00]],
  ])('%s', async (_, keyLength) => {
    await heardAround(() => write(withRecords(batchOf(['v']), oddRecord({ keyLength }))));
  });

  it.each(['commit', 'abort'] as const)('a transaction and its %s', async (end) => {
    await heardAround(() => transaction(end));
  });

  it('no key, no value, many headers, a time of nobody', async () => {
    const headers = Object.fromEntries(Array.from({ length: 50_000 }, (_, n) => [`${n}`, '']));
    await heardAround(async () => {
      for (const timestampMs of [0, 1, Date.now() + 3_000_000])
        await bus.produce(TOPIC, [{ key: null, value: Buffer.alloc(0), headers, timestampMs }]);
    });
  });
});
