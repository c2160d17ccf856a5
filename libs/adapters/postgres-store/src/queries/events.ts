import { answered, pageSize } from './page.js';
import type { Reading } from './page.js';

/** One event of a session, from the record. */
export interface StoredEvent {
  readonly id: string;
  readonly session: string;
  readonly sequence: number;
  readonly type: string;
  /** RFC 3339. */
  readonly time: string;
  readonly topic: string;
  readonly partition: number;
  /** Of its last record. */
  readonly offset: bigint;
  /** As written: what hashes are over. */
  readonly bytes: Buffer;
  /** `bytes` as JSON. */
  readonly event: { readonly data: unknown } & Readonly<Record<string, unknown>>;
}

export interface EventRange {
  /** The sequence number before the first one asked for. Default: from the start. */
  readonly after?: number;
  readonly limit?: number;
}

interface Raw {
  readonly topic: string;
  readonly partition: number;
  readonly offset: string;
  readonly session: string;
  readonly sequence: number;
  readonly type: string;
  readonly time: Date;
  readonly bytes: Buffer;
}

/**
 * Events of one session in their order: at most `limit` of them, and no more bytes than a page holds, so that it may be fewer than asked
 * for and is empty only at the end.
 */
export async function events(
  { dataSource, schema, limits }: Reading,
  sessionId: string,
  { after = -1, limit }: EventRange,
): Promise<readonly StoredEvent[]> {
  const rows = (await answered(
    dataSource.query(
      `SELECT * FROM (
         SELECT topic, partition, "offset", session, sequence, type, time, bytes,
           sum(octet_length(bytes)) OVER (ORDER BY sequence) - octet_length(bytes) AS bytes_before
         FROM (SELECT * FROM "${schema}".events WHERE session = $1 AND sequence > $2 ORDER BY sequence LIMIT $3) AS page
       ) AS sized WHERE bytes_before < $4 ORDER BY sequence`,
      [sessionId, after, pageSize(limit, limits), limits.pageMaxBytes],
    ),
  )) as readonly Raw[];
  return rows.map(({ topic, partition, offset, session, sequence, type, time, bytes }) => ({
    id: `${session}:${sequence}`,
    session,
    sequence,
    type,
    time: time.toISOString(),
    topic,
    partition,
    offset: BigInt(offset),
    bytes,
    event: JSON.parse(bytes.toString('utf8')) as StoredEvent['event'],
  }));
}

/** All events of one session, page by page: for export and replay. Of a session that is open, those that are there when it gets to them. */
export async function* allEvents(reading: Reading, sessionId: string): AsyncGenerator<StoredEvent, void, void> {
  for (let after = -1; ;) {
    const page = await events(reading, sessionId, { after, limit: reading.limits.pageMaxRows });
    yield* page;
    const last = page.at(-1);
    if (!last) return;
    after = last.sequence;
  }
}
