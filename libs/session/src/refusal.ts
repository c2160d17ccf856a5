import type { Rule } from '@sallyport/verdict';

/**
 * Why an operation does not happen. A value: each protocol turns it into its own error in one place.
 * `policy` denied by a rule or grant · `mask` a masked column can't be proven masked · `hold` nobody approved ·
 * `cancelled` the agent gave up waiting · `record` the log can't take it · `undecided` policy gave no answer ·
 * `protocol` a message that the edge does not let through · `limit` a named limit was reached.
 */
export interface Refusal {
  readonly kind: 'policy' | 'mask' | 'hold' | 'cancelled' | 'record' | 'undecided' | 'protocol' | 'limit';
  /** One sentence for the agent. */
  readonly message: string;
  /** The rules behind it. */
  readonly rules: readonly Rule[];
  /** What to do about it. */
  readonly hint?: string;
  /** The protocol's own error code, where the refusal is one that the target would give too. */
  readonly code?: string;
}

/** The agent gave up waiting. */
export function cancelled(): Refusal {
  return { kind: 'cancelled', message: 'canceling statement due to user request', rules: [] };
}

/** The log can't take it, so it does not happen. */
export function unrecorded(): Refusal {
  return {
    kind: 'record',
    message: 'the operation can not be put on record, so it was not run',
    rules: [],
    hint: 'the log is full, failing, or not taken by the bus; try again in a while, and tell the operator if it stays so',
  };
}
