// Record batches as they are on the log (kafka.apache.org/documentation, Record Batch; magic 2). kafkajs has an encoder and a decoder of its
// own, which are not used: ADR 18 says why.
import type { BusRecord, OutgoingRecord } from '@sallyport/bus';
import { crc32c } from '@sallyport/journal';
import { gunzipSync } from 'node:zlib';
import { KafkaFault } from '../faults.js';
import { VarintReader, varintSize, writeVarint } from './varint.js';

/** Bytes of a batch before its records. */
export const BATCH_OVERHEAD_BYTES = 61;
const AT = { length: 8, leaderEpoch: 12, magic: 16, crc: 17, attributes: 21, lastOffsetDelta: 23, baseTime: 27, maxTime: 35 } as const;
const AT_PRODUCER = { id: 43, epoch: 51, sequence: 53, count: 57 } as const;
const MAGIC = 2;
const COMPRESSION = 0x07;
const APPEND_TIME = 0x08;
const CONTROL = 0x20;
const COMPRESSIONS = ['none', 'gzip', 'snappy', 'lz4', 'zstd'];
/** What a compressed batch may grow to. */
const INFLATED_MAX_BYTES = 64 * 2 ** 20;

export interface PreparedRecord {
  readonly key: Buffer | null;
  readonly value: Uint8Array;
  readonly headers: readonly (readonly [Buffer, Buffer])[];
  readonly timestampMs: number;
  /** An upper bound of its bytes in a batch. */
  readonly bytes: number;
}

/** Lengths, attributes, deltas: at most so many bytes beside what is in the record, and so many for each header. */
const RECORD_OVERHEAD_BYTES = 36;
const HEADER_OVERHEAD_BYTES = 10;

export function prepareRecord({ key, value, headers, timestampMs = Date.now() }: OutgoingRecord): PreparedRecord {
  const keyBytes = key === null ? null : Buffer.from(key);
  const pairs = Object.entries(headers ?? {}).map(([name, text]) => [Buffer.from(name), Buffer.from(text)] as const);
  const headerBytes = pairs.reduce((sum, [name, text]) => sum + name.length + text.length + HEADER_OVERHEAD_BYTES, 0);
  return {
    key: keyBytes,
    value,
    headers: pairs,
    timestampMs,
    bytes: RECORD_OVERHEAD_BYTES + (keyBytes?.length ?? 0) + value.length + headerBytes,
  };
}

/** Without a producer: `stampBatch` adds it. */
export function encodeBatch(records: readonly PreparedRecord[]): Buffer {
  const baseTime = records[0]!.timestampMs;
  const maxTime = records.reduce((max, { timestampMs }) => Math.max(max, timestampMs), baseTime);
  const lengths = records.map((record, n) => recordLength(record, record.timestampMs - baseTime, n));
  const batch = Buffer.allocUnsafe(lengths.reduce((sum, length) => sum + varintSize(length) + length, BATCH_OVERHEAD_BYTES));
  batch.writeBigInt64BE(0n, 0);
  batch.writeInt32BE(batch.length - AT.leaderEpoch, AT.length);
  batch.writeInt32BE(-1, AT.leaderEpoch);
  batch.writeInt8(MAGIC, AT.magic);
  batch.writeInt16BE(0, AT.attributes);
  batch.writeInt32BE(records.length - 1, AT.lastOffsetDelta);
  batch.writeBigInt64BE(BigInt(baseTime), AT.baseTime);
  batch.writeBigInt64BE(BigInt(maxTime), AT.maxTime);
  batch.writeInt32BE(records.length, AT_PRODUCER.count);
  let at: number = BATCH_OVERHEAD_BYTES;
  for (const [n, record] of records.entries()) {
    at = writeVarint(batch, at, lengths[n]!);
    batch[at++] = 0;
    at = writeVarint(batch, at, record.timestampMs - baseTime);
    at = writeVarint(batch, at, n);
    at = writeChunk(batch, at, record.key);
    at = writeChunk(batch, at, record.value);
    at = writeVarint(batch, at, record.headers.length);
    for (const [name, text] of record.headers) at = writeChunk(batch, writeChunk(batch, at, name), text);
  }
  return batch;
}

export interface ProducerStamp {
  readonly producerId: bigint;
  readonly producerEpoch: number;
  /** Of the batch's first record. */
  readonly sequence: number;
}

/** Says whose batch it is, in place: what the broker tells copies by. */
export function stampBatch(batch: Buffer, { producerId, producerEpoch, sequence }: ProducerStamp): void {
  batch.writeBigInt64BE(producerId, AT_PRODUCER.id);
  batch.writeInt16BE(producerEpoch, AT_PRODUCER.epoch);
  batch.writeInt32BE(sequence, AT_PRODUCER.sequence);
  batch.writeUInt32BE(crc32c(batch, AT.attributes), AT.crc);
}

function recordLength(record: PreparedRecord, timestampDelta: number, offsetDelta: number): number {
  const headers = record.headers.reduce((sum, [name, text]) => sum + chunkSize(name) + chunkSize(text), varintSize(record.headers.length));
  return 1 + varintSize(timestampDelta) + varintSize(offsetDelta) + chunkSize(record.key) + chunkSize(record.value) + headers;
}

function chunkSize(bytes: Uint8Array | null): number {
  return bytes === null ? 1 : varintSize(bytes.length) + bytes.length;
}

function writeChunk(into: Buffer, at: number, bytes: Uint8Array | null): number {
  if (bytes === null) return writeVarint(into, at, -1);
  const start = writeVarint(into, at, bytes.length);
  into.set(bytes, start);
  return start + bytes.length;
}

export interface DecodedBatches {
  readonly records: BusRecord[];
  /** Behind the last whole batch: where to go on. Undefined when there was none. */
  readonly next: bigint | undefined;
  /** Batches as they were written, and which nobody here can read. Each of their places has an empty record. */
  readonly unreadable: readonly KafkaFault[];
}

/**
 * The records from `from` on of the batches in `bytes`; the last batch may be cut off. Values are views of `bytes`. Throws
 * `CORRUPT_RECORD`, with partition and offset, when a checksum or a length doesn't fit: asked for again, it may.
 *
 * What fits its checksum is as somebody wrote it, and stays so. Whoever may write to the topic must not be able to stop its readers with
 * it, nor move them: a batch that can't be read is passed over, and the mark of a transaction is an empty record, so that every place of the
 * log has its record.
 */
export function decodeBatches(topic: string, partition: number, bytes: Buffer, from: bigint): DecodedBatches {
  const records: BusRecord[] = [];
  const unreadable: KafkaFault[] = [];
  let next: bigint | undefined;
  for (let at = 0; at + BATCH_OVERHEAD_BYTES <= bytes.length;) {
    const end = at + AT.leaderEpoch + bytes.readInt32BE(at + AT.length);
    const baseOffset = bytes.readBigInt64BE(at);
    const where = `${topic}/${partition} from offset ${baseOffset}`;
    if (end < at + BATCH_OVERHEAD_BYTES) throw new KafkaFault('CORRUPT_RECORD', `${where}: a batch has an impossible length`);
    if (end > bytes.length) break;
    const batch = bytes.subarray(at, end);
    at = end;
    if (batch[AT.magic] !== MAGIC) throw new KafkaFault('CORRUPT_RECORD', `${where}: a batch of magic ${batch[AT.magic]}, not 2`);
    if (crc32c(batch, AT.attributes) !== batch.readUInt32BE(AT.crc))
      throw new KafkaFault('CORRUPT_RECORD', `${where}: a batch does not fit its checksum`);
    next = baseOffset + BigInt(batch.readInt32BE(AT.lastOffsetDelta)) + 1n;
    if (next <= from) continue;
    let found: BusRecord[];
    try {
      const isMark = (batch.readInt16BE(AT.attributes) & CONTROL) !== 0;
      found = isMark ? emptyRecords(topic, partition, batch) : decodeBatch(topic, partition, batch);
    } catch (error) {
      unreadable.push(new KafkaFault('CORRUPT_RECORD', `${where} to ${next - 1n}: ${(error as Error).message}`, { cause: error }));
      found = emptyRecords(topic, partition, batch);
    }
    for (const record of found) if (record.offset >= from) records.push(record);
  }
  return { records, next, unreadable };
}

function decodeBatch(topic: string, partition: number, batch: Buffer): BusRecord[] {
  const records: BusRecord[] = [];
  const attributes = batch.readInt16BE(AT.attributes);
  const baseOffset = batch.readBigInt64BE(0);
  const baseTime = Number(batch.readBigInt64BE(AT.baseTime));
  const appendTime = (attributes & APPEND_TIME) === 0 ? undefined : Number(batch.readBigInt64BE(AT.maxTime));
  const reader = new VarintReader(inflate(batch.subarray(BATCH_OVERHEAD_BYTES), attributes & COMPRESSION), 0);
  const count = batch.readInt32BE(AT_PRODUCER.count);
  const lastDelta = batch.readInt32BE(AT.lastOffsetDelta);
  // Compaction leaves fewer. The broker doesn't look at the places that records of a batch that isn't compressed give themselves.
  const isWhole = count === lastDelta + 1;
  for (let n = 0, least = 0; n < count; n++) {
    reader.int();
    reader.byte();
    const timestampMs = appendTime ?? baseTime + reader.varint();
    if (appendTime !== undefined) reader.varint();
    const own = reader.int();
    const delta = isWhole ? n : own;
    if (delta < least || delta > lastDelta) throw new RangeError('a record has the place of another one');
    least = delta + 1;
    const offset = baseOffset + BigInt(delta);
    const key = reader.chunk();
    const value = reader.chunk() ?? Buffer.alloc(0);
    records.push({ topic, partition, offset, timestampMs, key: key?.toString() ?? null, value, headers: headersOf(reader) });
  }
  return records;
}

/** One for each place of the batch. A batch can't have more than bytes; where it says so, one at its end. */
function emptyRecords(topic: string, partition: number, batch: Buffer): BusRecord[] {
  const baseOffset = batch.readBigInt64BE(0);
  const timestampMs = Number(batch.readBigInt64BE(AT.baseTime));
  const last = batch.readInt32BE(AT.lastOffsetDelta);
  const first = last < batch.length ? 0 : last;
  return Array.from({ length: last - first + 1 }, (_, n) => {
    const offset = baseOffset + BigInt(first + n);
    return { topic, partition, offset, timestampMs, key: null, value: Buffer.alloc(0), headers: {} };
  });
}

/** A name that an object has by itself (`__proto__`) is a name like any other. */
function headersOf(reader: VarintReader): Record<string, string> {
  const pairs: [string, string][] = [];
  for (let left = reader.int(); left > 0; left--) pairs.push([reader.chunk()?.toString() ?? '', reader.chunk()?.toString() ?? '']);
  return Object.fromEntries(pairs);
}

function inflate(records: Buffer, compression: number): Buffer {
  if (compression === 0) return records;
  if (compression === 1) return gunzipSync(records, { maxOutputLength: INFLATED_MAX_BYTES });
  throw new RangeError(
    `compressed with ${COMPRESSIONS[compression] ?? compression}, which is not read here: set compression.type of the topic`,
  );
}
