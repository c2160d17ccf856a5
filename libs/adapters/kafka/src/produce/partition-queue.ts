import type { BusError } from '@sallyport/bus';
import type { KafkaFault } from '../faults.js';
import { BATCH_OVERHEAD_BYTES, encodeBatch, type PreparedRecord, stampBatch } from '../wire/record-batch.js';

/** What one call of `produce` has for one partition. */
export interface Parcel {
  readonly records: readonly PreparedRecord[];
  readonly deadlineMs: number;
  /** With the offset of each record. */
  resolve(offsets: readonly bigint[]): void;
  reject(error: Error): void;
}

interface Queued extends Parcel {
  readonly offsets: bigint[];
  /** Records that are in batches already. */
  taken: number;
  failed: boolean;
}

interface Slice {
  readonly parcel: Queued;
  readonly count: number;
}

/** What is sent at once, and again the same until its outcome is known. */
export interface Batch {
  readonly bytes: Buffer;
  readonly count: number;
  readonly slices: readonly Slice[];
  readonly deadlineMs: number;
}

export interface ProducerId {
  readonly id: bigint;
  readonly epoch: number;
}

/** Sequences are 31 bits and start anew behind this. */
const SEQUENCES = 2 ** 31;

export function nextSequence(sequence: number, count: number): number {
  return (sequence + count) % SEQUENCES;
}

/**
 * What waits for one partition, in order, with at most one batch under way.
 *
 * A batch keeps its place in the sequence of its producer id until its outcome is known, so the broker recognises a copy. When a batch is
 * given up with its outcome unknown, the producer id is given up with it: the same place in the sequence with other records would be taken for
 * a copy of the first, and be acknowledged without being written. The price is that a batch may be on the log twice.
 */
export class PartitionQueue {
  readonly #waiting: Queued[] = [];
  #batch: Batch | undefined;
  #producer: ProducerId | undefined;
  #sequence = 0;
  /** True while a request with its batch is at the broker. */
  busy = false;

  constructor(
    readonly partition: number,
    private maxBatchBytes: number,
  ) {}

  get hasWork(): boolean {
    return this.#batch !== undefined || this.#waiting.length > 0;
  }

  get needsProducer(): boolean {
    return this.#producer === undefined;
  }

  /** Of what comes first. */
  get deadlineMs(): number {
    return this.#batch?.deadlineMs ?? this.#waiting[0]?.deadlineMs ?? Infinity;
  }

  add(parcel: Parcel): void {
    this.#waiting.push(Object.assign({ offsets: [], taken: 0, failed: false }, parcel));
  }

  useProducer(producer: ProducerId): void {
    this.#producer = producer;
    this.#sequence = 0;
  }

  /** A new producer id is needed before the next batch, the one under way included. */
  dropProducer(): void {
    this.#producer = undefined;
  }

  /** The batch to send, ready to go; the one whose outcome isn't known comes first. Needs work and a producer. */
  batch(): Batch {
    this.#batch ??= this.#gather();
    const { id, epoch } = this.#producer!;
    stampBatch(this.#batch.bytes, { producerId: id, producerEpoch: epoch, sequence: this.#sequence });
    return this.#batch;
  }

  /** Ignored for a batch that was given up meanwhile. */
  acknowledge(batch: Batch, baseOffset: bigint): void {
    if (batch !== this.#batch) return;
    this.#batch = undefined;
    this.#sequence = nextSequence(this.#sequence, batch.count);
    let offset = baseOffset;
    for (const { parcel, count } of batch.slices) {
      for (let n = 0; n < count; n++) parcel.offsets.push(offset++);
      if (parcel.offsets.length === parcel.records.length) parcel.resolve(parcel.offsets);
    }
  }

  /** The broker takes no batch of this size, and has not taken this one. False when it can't be made smaller. */
  split(batch: Batch): boolean {
    if (batch !== this.#batch) return true;
    if (batch.count === 1) return false;
    this.maxBatchBytes = Math.max(BATCH_OVERHEAD_BYTES, Math.floor(batch.bytes.length / 2));
    this.#batch = undefined;
    for (const { parcel, count } of batch.slices.toReversed()) {
      parcel.taken -= count;
      if (this.#waiting[0] !== parcel) this.#waiting.unshift(parcel);
    }
    return true;
  }

  /** Rejects the calls that are in it, and what else of them waits. */
  giveUp(batch: Batch, error: Error): void {
    if (batch !== this.#batch) return;
    this.#batch = undefined;
    this.dropProducer();
    for (const { parcel } of batch.slices) this.#fail(parcel, error);
  }

  expire(nowMs: number, error: (sent: boolean) => KafkaFault | BusError): void {
    if (this.#batch && this.#batch.deadlineMs <= nowMs) this.giveUp(this.#batch, error(true));
    while (this.#batch === undefined && this.#waiting.length > 0 && this.#waiting[0]!.deadlineMs <= nowMs)
      this.#fail(this.#waiting[0]!, error(false));
  }

  /** Everything, whether it is under way or waits. */
  abandon(error: Error): void {
    if (this.#batch) this.giveUp(this.#batch, error);
    while (this.#waiting.length > 0) this.#fail(this.#waiting[0]!, error);
  }

  #gather(): Batch {
    const records: PreparedRecord[] = [];
    const slices: Slice[] = [];
    const deadlineMs = this.#waiting[0]!.deadlineMs;
    let bytes = BATCH_OVERHEAD_BYTES;
    for (;;) {
      const parcel = this.#waiting[0];
      if (!parcel) break;
      const from = parcel.taken;
      while (parcel.taken < parcel.records.length) {
        const record = parcel.records[parcel.taken]!;
        if (records.length > 0 && bytes + record.bytes > this.maxBatchBytes) break;
        records.push(record);
        bytes += record.bytes;
        parcel.taken += 1;
      }
      if (parcel.taken > from) slices.push({ parcel, count: parcel.taken - from });
      if (parcel.taken < parcel.records.length) break;
      this.#waiting.shift();
    }
    return { bytes: encodeBatch(records), count: records.length, slices, deadlineMs };
  }

  #fail(parcel: Queued, error: Error): void {
    const at = this.#waiting.indexOf(parcel);
    if (at >= 0) this.#waiting.splice(at, 1);
    if (parcel.failed) return;
    parcel.failed = true;
    parcel.reject(error);
  }
}
