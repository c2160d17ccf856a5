export interface StoreLimits {
  /** Connections, for reading and writing together. */
  readonly maxConnections: number;
  readonly connectTimeoutMs: number;
  /** Of any one statement, waiting for locks included. */
  readonly statementTimeoutMs: number;
  /** Rows of one page at most; a query that asks for more gets this many. */
  readonly pageMaxRows: number;
  /** Rows of one page when a query doesn't say. */
  readonly pageRows: number;
  /** Event bytes of one page of events; one event is always given, however large. */
  readonly pageMaxBytes: number;
}

export const STORE_LIMITS: StoreLimits = {
  maxConnections: 8,
  connectTimeoutMs: 5_000,
  statementTimeoutMs: 60_000,
  pageMaxRows: 1_000,
  pageRows: 100,
  pageMaxBytes: 8 * 2 ** 20,
};
