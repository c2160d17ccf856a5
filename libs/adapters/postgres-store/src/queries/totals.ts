import { answered, decodeCursor, encodeCursor, pageSize } from './page.js';
import type { Page, PageRequest, Reading } from './page.js';

export interface PrincipalRow {
  readonly subject: string;
  readonly issuer: string;
  readonly sessions: number;
  readonly open: number;
  readonly operations: number;
  readonly denials: number;
  /** RFC 3339: the newest event of any of its sessions. */
  readonly lastSeen: string;
}

export interface Statistics {
  readonly sessions: { readonly open: number; readonly closed: number; readonly aborted: number };
  readonly operations: number;
  readonly denials: number;
  readonly rows: number;
  readonly bytes: number;
  readonly events: number;
  /** Records on the log that are no events. */
  readonly unreadable: number;
  readonly holdsWaiting: number;
  readonly leasesLive: number;
}

/** Who has had a session, by subject and issuer. Added up from the sessions when asked. */
export async function principals(
  { dataSource, schema, limits }: Reading,
  request: PageRequest & { readonly subject?: string },
): Promise<Page<PrincipalRow>> {
  const size = pageSize(request.limit, limits);
  const after = request.cursor === undefined ? null : decodeCursor(request.cursor, 2);
  const found = (await answered(
    dataSource.query(
      `SELECT subject, issuer, count(*) AS sessions, count(*) FILTER (WHERE state = 'open') AS open,
         sum(operations) AS operations, sum(denials) AS denials, max(last_seen) AS last_seen
       FROM "${schema}".sessions
       WHERE ($1::text IS NULL OR (subject, issuer) > ($1, $2)) AND ($3::text IS NULL OR subject = $3)
       GROUP BY subject, issuer ORDER BY subject, issuer LIMIT $4`,
      [after?.[0] ?? null, after?.[1] ?? null, request.subject ?? null, size + 1],
    ),
  )) as readonly (Record<'subject' | 'issuer' | 'sessions' | 'open' | 'operations' | 'denials', string> & { readonly last_seen: Date })[];
  const rows = found.slice(0, size).map(({ subject, issuer, last_seen: lastSeen, ...counts }) => ({
    subject,
    issuer,
    sessions: Number(counts.sessions),
    open: Number(counts.open),
    operations: Number(counts.operations),
    denials: Number(counts.denials),
    lastSeen: lastSeen.toISOString(),
  }));
  const last = found.length > size ? rows.at(-1) : undefined;
  return { rows, next: last ? encodeCursor([last.subject, last.issuer]) : null };
}

export async function statistics({ dataSource, schema }: Reading): Promise<Statistics> {
  const [row] = (await answered(
    dataSource.query(
      `SELECT count(*) FILTER (WHERE state = 'open') AS open, count(*) FILTER (WHERE state = 'closed') AS closed,
         count(*) FILTER (WHERE state = 'aborted') AS aborted, sum(operations) AS operations, sum(denials) AS denials,
         sum(rows) AS rows, sum(bytes) AS bytes, sum(events) AS events,
         (SELECT count(*) FROM "${schema}".events WHERE problem IS NOT NULL) AS unreadable,
         (SELECT count(*) FROM "${schema}".holds WHERE state = 'waiting' AND requested IS NOT NULL) AS holds_waiting,
         (SELECT count(*) FROM "${schema}".leases WHERE state IN ('issued', 'failed')) AS leases_live
       FROM "${schema}".sessions`,
    ),
  )) as readonly Record<string, string | null>[];
  const count = (name: string): number => Number(row?.[name] ?? 0);
  return {
    sessions: { open: count('open'), closed: count('closed'), aborted: count('aborted') },
    operations: count('operations'),
    denials: count('denials'),
    rows: count('rows'),
    bytes: count('bytes'),
    events: count('events'),
    unreadable: count('unreadable'),
    holdsWaiting: count('holds_waiting'),
    leasesLive: count('leases_live'),
  };
}
