/** What one caller of the console can cost (P9). */
export interface ConsoleLimits {
  /** Rows of one page, at most and unless the caller says otherwise. */
  readonly pageMaxRows: number;
  readonly pageDefaultRows: number;
  /** Rows that are looked at for one page when only some of them may be shown. */
  readonly pageScanMaxRows: number;
  readonly bodyMaxBytes: number;
  /** A request that takes longer is answered with 503. Live streams are exempt. */
  readonly requestTimeoutMs: number;
  readonly maxConnections: number;
  /** Live streams at once, of everybody together and of one principal. */
  readonly maxLiveClients: number;
  readonly maxLiveClientsPerPrincipal: number;
  /** What may wait for one slow reader of a live stream; then it is cut off. Several times what the log hands on at once. */
  readonly liveClientMaxBytes: number;
  readonly liveHeartbeatMs: number;
  /** Events of the log that one export may have to go through. */
  readonly exportMaxEvents: number;
  /** Bytes of the session that is exported. */
  readonly exportMaxBytes: number;
  readonly maxExports: number;
}

export const CONSOLE_LIMITS: ConsoleLimits = {
  pageMaxRows: 1000,
  pageDefaultRows: 100,
  pageScanMaxRows: 10_000,
  bodyMaxBytes: 16 * 1024,
  requestTimeoutMs: 30_000,
  maxConnections: 512,
  maxLiveClients: 100,
  maxLiveClientsPerPrincipal: 10,
  liveClientMaxBytes: 8 * 1024 * 1024,
  liveHeartbeatMs: 15_000,
  exportMaxEvents: 5_000_000,
  exportMaxBytes: 256 * 1024 * 1024,
  maxExports: 2,
};

/** Longest reason that is kept with a revocation, characters. */
export const REASON_MAX_CHARS = 500;
/** Longest comment that an approver may leave, characters. */
export const COMMENT_MAX_CHARS = 1000;
