import type { BusRecord } from '@sallyport/bus';
import { EventError, Joiner } from '@sallyport/events';
import type { LogRecord } from '@sallyport/projections';
import { type Belief, problemOf } from './belief.js';
import { ProjectorError } from './errors.js';

/** Where to go on with a partition. */
export interface Place {
  /** Every record before it is done. */
  readonly next: bigint;
  /** The record to read from: before `next` when an event is begun and not complete there. */
  readonly resume: bigint;
}

export const LOG_START: Place = { next: 0n, resume: 0n };

/**
 * Makes whole events of one partition's records, in the order in which they are complete. A record that comes again (a batch is
 * tried until it succeeds) is not read twice.
 */
export class Assembler {
  readonly #joiner = new Joiner();
  /** Event → offset of its first chunk. */
  readonly #begun = new Map<string, bigint>();
  /** What stands before it was dealt with before the start: it only fills the joiner. */
  readonly #done: bigint;
  #next: bigint;

  /** @param belief  what to make of a record; asked once for each. */
  constructor(
    start: Place,
    private readonly belief: (record: BusRecord) => Belief = () => 'joined',
  ) {
    this.#done = start.next;
    this.#next = start.resume;
  }

  get place(): Place {
    let resume = this.#next;
    for (const offset of this.#begun.values()) if (offset < resume) resume = offset;
    return { next: this.#next > this.#done ? this.#next : this.#done, resume };
  }

  /** The event that this record completes, if it does. Throws `PROJECTOR_GAP` when a record before it was not given. */
  push(record: BusRecord): LogRecord | undefined {
    const { topic, partition, offset, value } = record;
    if (offset < this.#next) return undefined;
    if (offset > this.#next) {
      throw new ProjectorError('PROJECTOR_GAP', `${topic}/${partition} is read up to ${this.#next}, and the next record is ${offset}`);
    }
    this.#next = offset + 1n;
    const belief = this.belief(record);
    const whole = typeof belief === 'object' ? problemOf(belief.distrusted) : belief === 'joined' ? this.#join(record) : value;
    if (whole === undefined || offset < this.#done) return undefined;
    if (typeof whole === 'string') return { topic, partition, offset, bytes: value, problem: whole };
    return { topic, partition, offset, bytes: whole, ...(belief === 'vouched' ? { vouched: true } : {}) };
  }

  #join(record: BusRecord): Buffer | string | undefined {
    const { event, chunk } = record.headers;
    try {
      const joined = this.#joiner.push(record);
      if (event !== undefined && chunk === '0') this.#begun.set(event, record.offset);
      return joined?.bytes;
    } catch (error) {
      return error instanceof EventError ? error.code : 'EVENT_CHUNK_MALFORMED';
    } finally {
      if (event !== undefined && !this.#joiner.pending.includes(event)) this.#begun.delete(event);
    }
  }
}
