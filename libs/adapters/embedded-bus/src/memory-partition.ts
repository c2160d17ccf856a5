import { BusError, type BusRecord, type OutgoingRecord } from '@sallyport/bus';
import type { PartitionLog } from './partition-log.js';

export interface TransientLimits {
  /** Values of one partition, kept. The oldest go first, read or not: who asks has a time-out. */
  readonly transientMaxBytes: number;
  readonly transientMaxRecords: number;
  readonly transientMaxAgeMs: number;
  readonly transientMaxRecordBytes: number;
}

export const TRANSIENT_LIMITS: TransientLimits = {
  transientMaxBytes: 32 * 2 ** 20,
  transientMaxRecords: 100_000,
  transientMaxAgeMs: 10 * 60_000,
  transientMaxRecordBytes: 16 * 2 ** 20,
};

/** Forgotten records at the front of the array before it is moved up. */
const SLACK = 1024;

/** Requests and replies: bounded, in memory, gone at a restart. */
export class MemoryPartition implements PartitionLog {
  readonly survivesRestart = false;
  #records: BusRecord[] = [];
  /** Index in the array of the oldest record that counts. */
  #head = 0;
  #bytes = 0;
  #next = 0n;
  #closed = false;
  readonly #listeners = new Set<() => void>();

  constructor(
    readonly topic: string,
    readonly partition: number,
    private readonly limits: TransientLimits = TRANSIENT_LIMITS,
  ) {}

  get first(): bigint {
    return this.#next - BigInt(this.#records.length - this.#head);
  }

  get next(): bigint {
    return this.#next;
  }

  async append(records: readonly OutgoingRecord[]): Promise<bigint> {
    if (this.#closed) throw new BusError('BUS_CLOSED', 'the bus is closed');
    for (const { value } of records) {
      if (value.length > this.limits.transientMaxRecordBytes)
        throw new BusError('BUS_RECORD_TOO_LARGE', `a record of ${value.length} bytes for ${this.topic}`);
    }
    const first = this.#next;
    const now = Date.now();
    for (const { key, value, headers, timestampMs } of records) {
      // The writer may use its bytes again.
      const copy = Buffer.from(value);
      const { topic, partition } = this;
      this.#records.push({
        topic,
        partition,
        offset: this.#next,
        timestampMs: timestampMs ?? now,
        key,
        value: copy,
        headers: headers ?? {},
      });
      this.#bytes += copy.length;
      this.#next += 1n;
    }
    this.#forget(now);
    for (const listener of this.#listeners) listener();
    return first;
  }

  async read(from: bigint, maxRecords: number, maxBytes: number): Promise<readonly BusRecord[]> {
    const at = from > this.first ? this.#head + Number(from - this.first) : this.#head;
    const found: BusRecord[] = [];
    for (let bytes = 0, i = at; i < this.#records.length && found.length < maxRecords; i++) {
      const record = this.#records[i]!;
      bytes += record.value.length;
      if (found.length > 0 && bytes > maxBytes) break;
      found.push(record);
    }
    return found;
  }

  onMore(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const listener of this.#listeners) listener();
  }

  #forget(now: number): void {
    const { transientMaxBytes, transientMaxRecords, transientMaxAgeMs } = this.limits;
    for (;;) {
      const left = this.#records.length - this.#head;
      const oldest = this.#records[this.#head];
      if (!oldest || left === 1) break;
      if (this.#bytes <= transientMaxBytes && left <= transientMaxRecords && now - oldest.timestampMs <= transientMaxAgeMs) break;
      this.#bytes -= oldest.value.length;
      this.#head += 1;
    }
    if (this.#head < SLACK && this.#head < this.#records.length / 2) return;
    this.#records = this.#records.slice(this.#head);
    this.#head = 0;
  }
}
