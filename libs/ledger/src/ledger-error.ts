export type LedgerErrorCode =
  'LEDGER_FRONTIER' | 'LEDGER_NOTE_MALFORMED' | 'LEDGER_CHECKPOINT_MALFORMED' | 'LEDGER_DIVERGED' | 'LEDGER_EVIDENCE_MALFORMED';

/** What is broken in a tree, a note or a checkpoint. */
export class LedgerError extends Error {
  override readonly name = 'LedgerError';
  constructor(
    readonly code: LedgerErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
