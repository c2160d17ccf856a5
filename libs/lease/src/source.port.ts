import type { Lease, LeaseOrder, PostgresSecret } from './lease.js';

/** What a sweep did. `code` is the error's, for metrics and the record. */
export interface SweepResult {
  readonly swept: readonly { readonly id: string; readonly login: string }[];
  readonly failed: readonly { readonly id: string; readonly login: string; readonly code: string }[];
  /** Another replica was at it, so nothing was looked at. */
  readonly skipped?: true;
}

/**
 * Makes and drops the credentials of one resource; lives in the vendor. Two steps, so that the record comes first: everything
 * that a lease leaves at the target can be found by its id, so a process killed at any point leaves nothing unknown.
 */
export interface LeaseSource {
  readonly resource: string;
  /** Checks the order and says what `create` will make. No I/O. Throws a `LeaseError`. */
  plan(id: string, order: LeaseOrder): Lease;
  /** Makes the credential. Rejects with a `LeaseError`; the target is then as before, or `drop` makes it so. */
  create(lease: Lease, order: LeaseOrder): Promise<PostgresSecret>;
  /**
   * Ends the credential and every connection that it opened. Waits for a `create` of the same lease. Idempotent: false when there was
   * nothing left to end, because another replica has ended it or it was never made.
   */
  drop(id: string): Promise<boolean>;
  /**
   * One replica at a time: drops whatever this installation left at the target that is expired or isn't live. Never rejects for a single lease.
   * `settled` is awaited between looking at the target and asking `isLive`: a lease made meanwhile must not be taken for an orphan.
   */
  sweep(isLive: (id: string) => boolean, settled?: () => Promise<void>): Promise<SweepResult>;
  close(): Promise<void>;
}
