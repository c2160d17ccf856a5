import type { AcknowledgementRow, HoldRow, LeaseRow, RevocationRow, RunRow, SessionRow } from '@sallyport/projections';

/** Some rows, and where the next ones begin; null when there are none. */
export interface Page<Row> {
  readonly rows: readonly Row[];
  readonly next: string | null;
}

export interface PageQuery {
  readonly limit?: number;
  /** `next` of the page before. */
  readonly cursor?: string;
}

/** RFC 3339: from `since` on, and before `until`. */
export interface Period {
  readonly since?: string;
  readonly until?: string;
}

export interface SessionFilter extends Period {
  readonly state?: SessionRow['state'];
  /** Subject. */
  readonly principal?: string;
  readonly issuer?: string;
  readonly resource?: string;
  readonly run?: string;
}

export interface HoldFilter {
  readonly state?: HoldRow['state'];
  readonly session?: string;
}

export interface LeaseFilter {
  readonly state?: LeaseRow['state'];
  readonly session?: string;
  readonly resource?: string;
}

export interface RevocationFilter {
  readonly kind?: RevocationRow['kind'];
  /** Subject. */
  readonly principal?: string;
  readonly session?: string;
}

/** One event of a session, as written. */
export interface StoredEvent {
  readonly sequence: number;
  readonly bytes: Buffer;
}

/** Somebody who had sessions: added up. */
export interface PrincipalRow {
  readonly subject: string;
  readonly issuer: string;
  readonly sessions: number;
  readonly open: number;
  readonly operations: number;
  readonly denials: number;
  readonly lastSeen: string;
}

/**
 * The read models, as the console asks them; `@sallyport/adapter-postgres-store` answers. Lists are newest first. Errors have a `code`:
 * `STORE_CURSOR` and `STORE_VALUE` for what the caller got wrong, `STORE_UNREACHABLE` for what may work later.
 */
export interface ConsoleStore {
  sessions(query: SessionFilter & PageQuery): Promise<Page<SessionRow>>;
  session(id: string): Promise<SessionRow | null>;
  /** In their order, behind the sequence number `after`. Fewer than asked for when they are large; none only at the end. */
  events(session: string, range: { readonly after?: number; readonly limit?: number }): Promise<readonly StoredEvent[]>;
  holds(query: HoldFilter & PageQuery): Promise<Page<HoldRow>>;
  hold(id: string): Promise<HoldRow | null>;
  leases(query: LeaseFilter & PageQuery): Promise<Page<LeaseRow>>;
  runs(query: PageQuery): Promise<Page<RunRow>>;
  run(id: string): Promise<RunRow | null>;
  principals(query: PageQuery & { readonly subject?: string }): Promise<Page<PrincipalRow>>;
  revocations(query: RevocationFilter & PageQuery): Promise<Page<RevocationRow>>;
  revocation(id: string): Promise<RevocationRow | null>;
  /** Of any of these revocations. */
  acknowledgements(revocations: readonly string[]): Promise<readonly AcknowledgementRow[]>;
}
