import { EventError } from './event-error.js';

/** Bus record headers of one chunk: `chunk` counts from 0, `chunks` is how many there are, `event` the id of the whole. */
export interface Chunk {
  readonly headers: Readonly<Record<string, string>>;
  readonly value: Buffer;
}

export interface JoinerLimits {
  /** Of one event, joined. */
  readonly joinedEventMaxBytes: number;
  /** Of all events that are begun and not complete. */
  readonly pendingMaxBytes: number;
  readonly pendingMaxEvents: number;
}

/**
 * Anybody who may write to a topic may begin events and not complete them, and every reader of a partition has a joiner of its own: all of
 * them together must fit into its memory. The same for all, since what is over a limit has another leaf in the ledger.
 */
export const JOINER_LIMITS: JoinerLimits = { joinedEventMaxBytes: 8 * 2 ** 20, pendingMaxBytes: 16 * 2 ** 20, pendingMaxEvents: 1024 };

const MAX_CHUNKS = 65_536;

/** One record when it fits, with no headers; otherwise numbered pieces, all to go under the same key and so to one partition. */
export function split(id: string, bytes: Buffer, maxBytes: number): readonly Chunk[] {
  if (!Number.isSafeInteger(maxBytes) || maxBytes < 1) throw new RangeError('maxBytes must be a positive integer');
  if (bytes.length <= maxBytes) return [{ headers: {}, value: bytes }];
  const chunks = Math.ceil(bytes.length / maxBytes);
  if (chunks > MAX_CHUNKS) throw new EventError('EVENT_CHUNK_LIMIT', `event ${id} would take more than ${MAX_CHUNKS} chunks`);
  return Array.from({ length: chunks }, (_, chunk) => ({
    headers: { event: id, chunk: String(chunk), chunks: String(chunks) },
    value: bytes.subarray(chunk * maxBytes, (chunk + 1) * maxBytes),
  }));
}

interface Pending {
  readonly chunks: number;
  readonly firstOffset: bigint;
  readonly parts: Buffer[];
  bytes: number;
}

/** A whole event, and the log offset at which it began. */
export interface Joined {
  readonly bytes: Buffer;
  readonly firstOffset: bigint;
}

/**
 * Puts the chunks of one partition together again, in log order. Chunks of several events may be interleaved. A writer that died
 * half way starts over from chunk 0, which drops what it had sent before; a chunk that comes a second time is skipped.
 */
export class Joiner {
  readonly #pending = new Map<string, Pending>();
  #pendingBytes = 0;

  constructor(private readonly limits: JoinerLimits = JOINER_LIMITS) {}

  /** Ids of events that are begun and not complete. */
  get pending(): readonly string[] {
    return [...this.#pending.keys()];
  }

  /**
   * The whole event once its last chunk is there, else undefined.
   * Throws `EVENT_CHUNK_MALFORMED`, `EVENT_CHUNK_GAP` (a chunk is missing) or `EVENT_CHUNK_LIMIT`.
   */
  push(record: {
    readonly value: Buffer;
    readonly headers: Readonly<Record<string, string>>;
    readonly offset: bigint;
  }): Joined | undefined {
    const place = chunkPlace(record.headers);
    if (!place) return { bytes: record.value, firstOffset: record.offset };
    const { event, chunk, chunks } = place;
    if (chunk === 0) this.#begin(event, chunks, record.offset);
    const pending = this.#pending.get(event);
    if (!pending || pending.chunks !== chunks || chunk > pending.parts.length) {
      this.#forget(event);
      throw new EventError('EVENT_CHUNK_GAP', `chunk ${chunk} of ${chunks} of event ${event} came without the one before it`);
    }
    if (chunk < pending.parts.length) return undefined;
    pending.bytes += record.value.length;
    this.#pendingBytes += record.value.length;
    this.#checkLimits(event, pending);
    // A copy: the record is a view of all that came with it.
    pending.parts.push(Buffer.from(record.value));
    if (pending.parts.length < chunks) return undefined;
    this.#forget(event);
    return { bytes: Buffer.concat(pending.parts, pending.bytes), firstOffset: pending.firstOffset };
  }

  #begin(event: string, chunks: number, firstOffset: bigint): void {
    this.#forget(event);
    if (this.#pending.size >= this.limits.pendingMaxEvents)
      throw new EventError('EVENT_CHUNK_LIMIT', 'too many events are begun and not complete');
    this.#pending.set(event, { chunks, firstOffset, parts: [], bytes: 0 });
  }

  #checkLimits(event: string, pending: Pending): void {
    if (pending.bytes <= this.limits.joinedEventMaxBytes && this.#pendingBytes <= this.limits.pendingMaxBytes) return;
    this.#forget(event);
    throw new EventError('EVENT_CHUNK_LIMIT', `event ${event} is larger than may be joined`);
  }

  #forget(event: string): void {
    const pending = this.#pending.get(event);
    if (!pending) return;
    this.#pendingBytes -= pending.bytes;
    this.#pending.delete(event);
  }
}

function chunkPlace(headers: Readonly<Record<string, string>>): { event: string; chunk: number; chunks: number } | undefined {
  const { event, chunk, chunks } = headers;
  if (chunk === undefined && chunks === undefined) return undefined;
  const place = { event: event ?? '', chunk: wholeNumber(chunk), chunks: wholeNumber(chunks) };
  if (place.event === '' || place.chunk < 0 || place.chunks < 2 || place.chunks > MAX_CHUNKS || place.chunk >= place.chunks) {
    throw new EventError('EVENT_CHUNK_MALFORMED', 'the headers of a chunk must be event, chunk and chunks, and fit together');
  }
  return place;
}

function wholeNumber(text: string | undefined): number {
  return text !== undefined && /^\d{1,6}$/.test(text) ? Number(text) : -1;
}
