/** How sure a record must be before the operation behind it may take effect (P1). */
export type Durability = 'process' | 'disk' | 'replicated';

/**
 * Where the record goes first. Appending is synchronous, waiting isn't, so that reads overlap with their record.
 * Offsets grow with every append of the same edge.
 */
export interface Spool {
  /**
   * Takes one event of a session's stream. An `outcome` (how something that is on record ended) may use the reserve
   * that an `intent` may not, so that what was begun can always be told to its end.
   * @throws an error with a `code` (full, failed, too large) when it can't be taken; then nothing was taken.
   */
  append(session: string, event: Uint8Array, purpose: 'intent' | 'outcome'): bigint;
  isDurable(offset: bigint, durability: Durability): boolean;
  /** Rejects when the record is lost: the session can't go on. */
  durable(offset: bigint, durability: Durability): Promise<void>;
}
